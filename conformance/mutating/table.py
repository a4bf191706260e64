"""The kill table: a line a mutant, and what it adds up to."""

from collections.abc import Iterable, Iterator, Sequence

from conformance.mutating.mutant import Mutant
from conformance.mutating.trials import Trial

_SOUND = "the sound server"


def listing(mutants: Iterable[Mutant]) -> Iterator[str]:
    """Name, clauses and story of each."""
    for mutant in mutants:
        over = ",".join([*mutant.carriers, *mutant.under])
        yield f"{mutant.name:<46} {over:<17} {' '.join(mutant.breaks):<14} {mutant.story}"


def header() -> str:
    """What the columns of `row` mean."""
    return f"{'mutant':<46} {'over':<17} {'has to fail':<14} {'failed':<30} {'':<8} {'s':>4}"


def row(trial: Trial) -> str:
    """One trial; below the sound server why it does not pass."""
    name = trial.mutant.name if trial.mutant is not None else _SOUND
    wanted = " ".join(trial.mutant.has_to_fail(trial.carrier)) if trial.mutant is not None else "nothing"
    failed = " ".join(trial.failed) or trial.trouble or "nothing"
    line = (
        f"{name:<46} {trial.carrier:<17} {wanted:<14} {failed:<30} {_word(trial):<8} {trial.duration_s:>4.0f}"
    )
    reasons = trial.reasons if trial.mutant is None else ()
    return "\n".join([line, *(f"    {reason}" for reason in reasons)])


def _word(trial: Trial) -> str:
    if trial.mutant is not None:
        return "killed" if trial.is_as_expected else "SURVIVES"
    return "passes" if trial.is_as_expected else "FAILS"


def total(trials: Sequence[Trial]) -> str:
    """How many were killed, and whether the sound server passes."""
    mutants = {trial.mutant.name for trial in trials if trial.mutant is not None}
    survive = sorted({trial.mutant.name for trial in trials if trial.mutant and not trial.is_as_expected})
    names = f" ({', '.join(survive)})" if survive else ""
    sound = all(trial.is_as_expected for trial in trials if trial.mutant is None)
    return (
        f"{len(mutants) - len(survive)} of {len(mutants)} mutants are killed, {len(survive)} survive{names}, "
        f"{_SOUND} {'passes' if sound else 'FAILS'}"
    )

"""The kill table: a line a mutant, and what it adds up to."""

from collections.abc import Iterable, Iterator, Sequence

from conformance.mutating.mutant import Mutant
from conformance.mutating.trials import Trial

_SOUND = "the sound server"


def listing(mutants: Iterable[Mutant]) -> Iterator[str]:
    """Name, clauses and story of each."""
    for mutant in mutants:
        yield f"{mutant.name:<46} {' '.join(mutant.breaks):<14} {mutant.story}"


def header() -> str:
    """What the columns of `row` mean."""
    return f"{'mutant':<46} {'has to fail':<14} {'failed':<30} {'':<8} {'s':>4}"


def row(trial: Trial) -> str:
    """One trial; below the sound server why it does not pass."""
    name = trial.mutant.name if trial.mutant is not None else _SOUND
    wanted = " ".join(trial.mutant.breaks) if trial.mutant is not None else "nothing"
    failed = " ".join(trial.failed) or trial.trouble or "nothing"
    line = f"{name:<46} {wanted:<14} {failed:<30} {_word(trial):<8} {trial.duration_s:>4.0f}"
    reasons = trial.reasons if trial.mutant is None else ()
    return "\n".join([line, *(f"    {reason}" for reason in reasons)])


def _word(trial: Trial) -> str:
    if trial.mutant is not None:
        return "killed" if trial.is_as_expected else "SURVIVES"
    return "passes" if trial.is_as_expected else "FAILS"


def total(trials: Sequence[Trial]) -> str:
    """How many were killed, and whether the sound server passes."""
    of_mutants = [trial for trial in trials if trial.mutant is not None]
    killed = sum(trial.is_as_expected for trial in of_mutants)
    sound = " and ".join(f"{_SOUND} {_word(trial)}" for trial in trials if trial.mutant is None)
    return f"{killed} of {len(of_mutants)} mutants are killed, {sound}"

"""The suite against many mutants, side by side: each in processes of its own."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from conformance import cases
from conformance.mutating.mutant import Mutant
from conformance.verdicts import Verdict

TRIAL_S = 600.0
"""No trial takes longer; one that does is ended, and its mutant has survived."""


_SEED = "1"
"""Of what a fault plan leaves to chance."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What the suite said of a server over a carrier, or under the fault plan of that name.

    `mutant` None: of the sound one. `verdicts`: by clause, of those that have cases. `reasons`: a line of
    each case that failed. `trouble`: why there are none, a line.
    """

    mutant: Mutant | None
    verdicts: Mapping[str, Verdict]
    duration_s: float
    reasons: Sequence[str] = ()
    trouble: str = ""
    carrier: str = "tcp"

    @property
    def failed(self) -> list[str]:
        """The clauses that failed."""
        return [clause for clause, verdict in self.verdicts.items() if verdict is Verdict.FAIL]

    @property
    def is_as_expected(self) -> bool:
        """Of a mutant: every clause that it breaks failed. Of the sound server: every clause is kept."""
        if self.mutant is not None:
            return set(self.mutant.has_to_fail(self.carrier)) <= set(self.failed)
        return bool(self.verdicts) and set(self.verdicts.values()) <= {Verdict.PASS, Verdict.NOT_OFFERED}


def try_all(
    mutants: Sequence[Mutant], *, jobs: int, full: bool = False, plans: Sequence[str] = (), under: str = ""
) -> Iterator[Trial]:
    """Each of `mutants`, and the sound server, over each carrier; `jobs` at a time, each told as it is over.

    A mutant is tried with the cases of the clauses that it breaks until each has failed; `full`: with all
    cases. The sound server is tried with all cases that any of them is tried with over that carrier.
    `plans`: under those fault plans instead, by processes that begin with the module `under`.
    """
    wanted = [
        (mutant, () if full else mutant.has_to_fail(column), column)
        for mutant in mutants
        for column in _columns(mutant, plans)
    ]
    run = partial(run_trial, under=under if plans else "")
    with ThreadPoolExecutor(jobs) as pool:
        trials = [pool.submit(run, *each) for each in [*_controls(wanted), *wanted]]
        try:
            for trial in as_completed(trials):
                yield trial.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def count_trials(mutants: Sequence[Mutant], plans: Sequence[str] = ()) -> int:
    """How many `try_all` yields."""
    columns = [column for mutant in mutants for column in _columns(mutant, plans)]
    return len(columns) + len(set(columns))


def _columns(mutant: Mutant, plans: Sequence[str]) -> Sequence[str]:
    """Over which carriers, or under which of these plans, a mutant shows."""
    return [plan for plan in plans if plan in mutant.under] if plans else mutant.carriers


def _controls(wanted: Sequence[tuple[Mutant, Sequence[str], str]]) -> list[tuple[None, list[str], str]]:
    clauses: dict[str, set[str]] = {}
    for _, of_mutant, column in wanted:
        clauses.setdefault(column, set()).update(of_mutant)
    return [(None, sorted(found), column) for column, found in clauses.items()]


def run_trial(
    mutant: Mutant | None, clauses: Sequence[str], carrier: str = "tcp", *, under: str = ""
) -> Trial:
    """The suite, or its cases for `clauses`, over a carrier, against a mutant or the sound server. With
    `under` `carrier` is a fault plan, and the process begins with that module."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="chatproof-trial-") as folder:
        result, log = Path(folder) / "conformance.json", Path(folder) / "log"
        with log.open("wb") as output:
            try:
                subprocess.run(
                    _command(mutant, clauses, carrier, result, under), stdin=subprocess.DEVNULL,
                    stdout=output, stderr=output, timeout=TRIAL_S, check=False,
                )  # fmt: skip
                trouble = ""
            except subprocess.TimeoutExpired:
                trouble = f"not over after {TRIAL_S:.0f} s"
        verdicts, reasons = _read(result) if result.exists() else ({}, [])
        if not verdicts and not trouble:
            said = log.read_text(errors="replace").strip().splitlines()
            trouble = said[-1] if said else "the suite said nothing"
    return Trial(mutant, verdicts, time.monotonic() - began, reasons, trouble, carrier)


def _command(
    mutant: Mutant | None, clauses: Sequence[str], column: str, result: Path, under: str
) -> list[str]:
    folder = str(Path(cases.__file__).parent)
    arguments = [
        folder, "-p", "conformance.plugin", "-p", "conformance.mutating.plugin", "-p", "no:cacheprovider",
        "--disable-plugin-autoload", "--import-mode=importlib", "-q", "--tb=line",
        "-c", os.devnull, "--rootdir", folder, "--conformance-json", str(result),
    ]  # fmt: skip
    if mutant is not None:
        arguments += ["--mutant", mutant.name]
        if clauses:
            arguments.append("--until-blamed")
    for clause in clauses:
        arguments += ["--clause", clause]
    if under:
        own = ["--over", "tcp", "--seed", _SEED, column, "--carrier", "tcp"]
        return [sys.executable, "-m", under, str(os.getpid()), *arguments, *own]
    return [sys.executable, "-m", "pytest", *arguments, "--over", column]


def _read(result: Path) -> tuple[dict[str, Verdict], list[str]]:
    clauses = json.loads(result.read_text("utf-8"))["clauses"]
    found = {clause: Verdict(content["verdict"]) for clause, content in clauses.items()}
    reasons = [
        f"{clause}: {case['name'].rpartition('::')[2]}: {case['message']}"
        for clause, content in clauses.items()
        for over in content["carriers"].values()
        for case in over["cases"]
        if case["verdict"] in (Verdict.FAIL, Verdict.UNKNOWN)
    ]
    return {clause: verdict for clause, verdict in found.items() if verdict is not Verdict.NO_CASE}, reasons

"""The suite as one call, for the command line."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from conformance import cases
from conformance.catalogue import Level
from conformance.target import Target, TargetUnusable


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformSettings:
    """What to test and what to leave behind; no `targets` means the reference server, started for the run.

    `clauses`: patterns such as `DLV.*`; `without`: capabilities that the target lacks; `require`: up to which
    level a failure counts; `http`: where the target takes short requests; `json`, `junit`: files to write.
    """

    targets: Sequence[str] = ()
    accounts: Path | None = None
    http: Sequence[str] = ()
    carriers: Sequence[str] = ()
    clauses: Sequence[str] = ()
    without: Sequence[str] = ()
    require: Level = Level.MUST
    seed: int | None = None
    json: Path | None = None
    junit: Path | None = None


def run_conformance(settings: ConformSettings) -> int:
    """Runs the cases and prints a summary by clause.

    0: every required clause that was tried is kept. 1: one is not. 2: wrong use, an unreachable target or
    accounts that cannot be used; one line, nothing was run. 3: one could not be decided. 130: interrupted.
    """
    try:
        Target(
            settings.targets, settings.accounts, settings.without, settings.http, wanted=settings.carriers
        ).probe()
    except TargetUnusable as error:
        print(f"chatproof conform: {error}", file=sys.stderr)
        return 2
    code = int(pytest.main(_arguments(settings)))
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        print(f"chatproof conform: no case for {' '.join(settings.clauses)}", file=sys.stderr)
    return _EXIT_CODES.get(code, code)


_EXIT_CODES: dict[int, int] = {
    pytest.ExitCode.INTERRUPTED: 130,
    pytest.ExitCode.USAGE_ERROR: 2,
    pytest.ExitCode.NO_TESTS_COLLECTED: 2,
}


def _arguments(settings: ConformSettings) -> list[str]:
    folder = str(Path(cases.__file__).parent)
    arguments = [
        folder, "-p", "conformance.plugin", "-p", "no:cacheprovider", "--import-mode=importlib", "-q",
        # Whatever pytest is told elsewhere on this machine is not meant for this suite.
        "--disable-plugin-autoload", "-c", os.devnull, "--rootdir", folder, "--tb=short", "--strict-markers",
        "--require", settings.require.value,
    ]  # fmt: skip
    repeatable = {
        "--target": settings.targets,
        "--clause": settings.clauses,
        "--without": settings.without,
        "--http": settings.http,
        "--over": settings.carriers,
    }
    for option, values in repeatable.items():
        for each in values:
            arguments += [option, each]
    single: dict[str, object] = {
        "--accounts": settings.accounts,
        "--seed": settings.seed,
        "--conformance-json": settings.json,
        "--junitxml": settings.junit,
    }
    for option, value in single.items():
        if value is not None:
            arguments += [option, str(value)]
    return arguments

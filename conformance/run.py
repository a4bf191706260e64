"""The suite as one call, for the command line."""

import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest

from conformance import cases, pages
from conformance.catalogue import Level
from conformance.junit import write_junit
from conformance.results import Results, ResultsUnusable, read, write_json, write_logs
from conformance.side_by_side import Job, over_carrier, run_all
from conformance.started import StartedServer
from conformance.summary import matrix_lines
from conformance.target import Target, TargetUnusable, new_seed, target_key
from conformance.verdicts import CaseResult, exit_code
from conformance.weather import CLAUSES, column

TOLD = "told.jsonl"
_EXIT_CODES: dict[int, int] = {
    pytest.ExitCode.INTERRUPTED: 130,
    pytest.ExitCode.USAGE_ERROR: 2,
    pytest.ExitCode.NO_TESTS_COLLECTED: 2,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformSettings:
    """What to test and what to leave behind; no `targets` means the reference server, started for the run.

    `clauses`: patterns such as `DLV.*`; `without`: capabilities that the target lacks; `require`: up to which
    level a failure counts; `http`: where the target takes short requests; `carriers`: over which the cases
    run, `jobs` of them at once; `mutant`: the server to start instead of the sound one. `started`: what the
    targets belong to, if cases may restart it; `name`: what it is called. `fault_plans`: the suite
    runs under each of them, in a process that begins with the module `under`. `out`: a folder for
    everything; `json`, `junit`: single files.
    """

    targets: Sequence[str] = ()
    accounts: Path | None = None
    http: Sequence[str] = ()
    carriers: Sequence[str] = ()
    jobs: int = 2
    clauses: Sequence[str] = ()
    without: Sequence[str] = ()
    require: Level = Level.MUST
    seed: int | None = None
    mutant: str | None = None
    started: StartedServer | None = None
    name: str | None = None
    fault_plans: Sequence[str] = ()
    under: str = ""
    out: Path | None = None
    json: Path | None = None
    junit: Path | None = None

    @property
    def wanted(self) -> Sequence[str]:
        """The clauses asked for; under a fault plan those that it is about, if nobody asks for others."""
        return self.clauses or (CLAUSES if self.fault_plans else ())


def run_conformance(settings: ConformSettings) -> int:
    """Runs the cases and prints a summary by clause.

    0: every required clause that was tried is kept. 1: one is not. 2: wrong use, an unreachable target or
    accounts that cannot be used; one line, nothing was run. 3: one could not be decided. 130: interrupted.
    """
    try:
        target = Target(
            settings.targets, settings.accounts, settings.without, settings.http, wanted=settings.carriers
        )
        target.name = settings.name or target.name
        target.probe()
        settings = replace(settings, without=target.without)
    except TargetUnusable as error:
        return _wrong(str(error))
    seed = new_seed() if settings.seed is None else settings.seed
    _say(f"target: {target.name}, carriers: {', '.join(target.chosen)}, seed: {seed}")
    for each in target.without:
        _say(f"not offered: {each.partition('=')[2] or each.rstrip('=')}")
    with tempfile.TemporaryDirectory(prefix="chatproof-conform-") as name:
        folder = Path(name)
        if len(target.chosen) == 1 and not settings.fault_plans:
            columns: tuple[str, ...] = target.chosen
            code, found = _run_here(settings, seed, folder)
        else:
            jobs = _jobs(settings, target.chosen)
            columns = tuple(job.column for job in jobs)
            code, found = _run_side_by_side(settings, seed, folder, target, jobs)
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        return _wrong(f"no case for {' '.join(settings.clauses)}")
    if code in (2, 130):
        return code
    try:
        _leave(settings, Results(target.name, seed, columns, found, settings.wanted, target.promises))
    except OSError as error:
        return _wrong(f"cannot write {error.filename}: {error.strerror}")
    return code


def merge(paths: Sequence[Path], out: Path) -> int:
    """matrix.html of several results, a target beside the other. 0, or 2 after a line that says why not."""
    try:
        pages.write(list(map(read, paths)), out / "matrix.html")
    except ResultsUnusable as error:
        return _wrong(str(error))
    except OSError as error:
        return _wrong(f"cannot write {error.filename}: {error.strerror}")
    print(out / "matrix.html")
    return 0


def _run_here(settings: ConformSettings, seed: int, folder: Path) -> tuple[int, list[CaseResult]]:
    told = folder / TOLD
    # Whatever pytest is told elsewhere on this machine is not meant for this suite.
    os.environ.pop("PYTEST_ADDOPTS", None)
    arguments = [*_arguments(settings, seed), "--tell", str(told)]
    code = int(pytest.main(arguments, plugins=[_MayRestart(settings.started)]))
    lines = told.read_bytes().splitlines() if told.exists() else []
    # A pytest that found nothing has a code of its own, which the caller has to be able to tell.
    kept = code if code == pytest.ExitCode.NO_TESTS_COLLECTED else _EXIT_CODES.get(code, code)
    return kept, [msgspec.json.decode(line, type=CaseResult) for line in lines]


class _MayRestart:
    """Tells the cases of this process of the server that was started for them."""

    def __init__(self, started: StartedServer | None) -> None:
        self._started = started

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[target_key].started = self._started


def _jobs(settings: ConformSettings, chosen: Sequence[str]) -> list[Job]:
    """A run over each carrier, or under each fault plan over each of them."""
    if not settings.fault_plans:
        return [over_carrier(carrier) for carrier in chosen]
    return [
        Job(column(Path(plan).stem, carrier), settings.under, (plan, "--carrier", carrier))
        for plan in settings.fault_plans
        for carrier in chosen
    ]


def _run_side_by_side(
    settings: ConformSettings, seed: int, folder: Path, target: Target, jobs: Sequence[Job]
) -> tuple[int, list[CaseResult]]:
    try:
        runs = run_all(jobs, _arguments(settings, seed), folder, settings.jobs, _say)
    except KeyboardInterrupt:
        print("chatproof conform: interrupted", file=sys.stderr)
        return 130, []
    found = [case for run in runs for case in run.cases]
    if not found and all(run.code == pytest.ExitCode.NO_TESTS_COLLECTED for run in runs):
        return pytest.ExitCode.NO_TESTS_COLLECTED, []
    columns = [job.column for job in jobs]
    results = Results(target.name, seed, columns, found, settings.wanted, target.promises)
    print("\n".join(matrix_lines(results)))
    code = exit_code(results.clauses, settings.require)
    return (3 if code == 0 and any(run.trouble for run in runs) else code), found


def _leave(settings: ConformSettings, results: Results) -> None:
    if settings.json is not None:
        write_json(results, settings.json)
    if settings.junit is not None:
        write_junit(results, settings.junit)
    if settings.out is not None:
        write_json(results, settings.out / "conformance.json")
        write_logs(results, settings.out)
        write_junit(results, settings.out / "junit.xml")
        pages.write([results], settings.out / "matrix.html")
        print(f"results: {settings.out}/ (matrix.html, conformance.json, junit.xml, wire/)")


def _say(line: str) -> None:
    print(line, flush=True)


def _wrong(why: str) -> int:
    print(f"chatproof conform: {why}", file=sys.stderr)
    return 2


def _arguments(settings: ConformSettings, seed: int) -> list[str]:
    folder = str(Path(cases.__file__).parent)
    arguments = [
        folder, "-p", "conformance.plugin", "-p", "no:cacheprovider", "--import-mode=importlib", "-q",
        "--disable-plugin-autoload", "-c", os.devnull, "--rootdir", folder, "--tb=short", "--strict-markers",
        "--require", settings.require.value, "--seed", str(seed),
    ]  # fmt: skip
    if settings.mutant is not None:
        arguments += ["-p", "conformance.mutating.plugin", "--mutant", settings.mutant]
    repeatable = {
        "--target": settings.targets,
        "--clause": settings.wanted,
        "--without": settings.without,
        "--http": settings.http,
        "--over": settings.carriers,
    }
    for option, values in repeatable.items():
        for each in values:
            arguments += [option, each]
    if settings.accounts is not None:
        arguments += ["--accounts", str(settings.accounts)]
    return arguments

"""The pytest side: `-p conformance.plugin`.

A case is a test with `@pytest.mark.clause("DLV.2")`; its docstring is its description. A broken assertion or
a broken protocol is a failure of the target; anything else that goes wrong leaves the case unknown.
"""

import inspect
from collections.abc import Generator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec
import pytest

from conformance import together
from conformance.catalogue import Level, load
from conformance.deviations import notes_key
from conformance.results import Results, write_json
from conformance.summary import write_summary
from conformance.target import OWN, Target, TargetUnusable, new_seed, seed_key, target_key
from conformance.verdicts import CaseResult, Verdict, exit_code, worst
from conformance.wirelog import log_key
from protocol.errors import RemoteProtocolError

pytest_plugins = ("conformance.fixtures",)

_record_key = pytest.StashKey["_Record"]()


class _Record:
    """The cases that are over; `told`: a file with a line of JSON for each, as it is over, for whoever waits
    for it."""

    def __init__(self, told: Path | None) -> None:
        self.cases: list[CaseResult] = []
        self._told = told
        # Of the case that runs: it has up to three phases, each with a verdict.
        self.phases: list[tuple[Verdict, float, str]] = []

    def finish(self, item: pytest.Item, carrier: str) -> None:
        phases, self.phases = self.phases, []
        verdict = worst(phase[0] for phase in phases)
        notes: list[str] = item.stash.get(notes_key, [])
        result = CaseResult(
            item.nodeid,
            carrier,
            _clauses_of(item),
            verdict,
            sum(phase[1] for phase in phases),
            next((phase[2] for phase in phases if phase[0] is verdict), ""),
            _description(item),
            _log_of(item),
            notes,
            tuple(str(name) for mark in item.iter_markers("by") for name in mark.args),
        )
        self.cases.append(result)
        if self._told is not None:
            with self._told.open("ab") as lines:
                lines.write(msgspec.json.encode(result) + b"\n")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance", "conformance of a chat server")
    group.addoption("--target", action="append", default=[], metavar="URL", help="server (repeatable)")
    group.addoption(
        "--http",
        action="append",
        default=[],
        metavar="URL",
        help="where it takes short requests",
    )
    group.addoption("--over", action="append", default=[], metavar="NAME", help="carriers of all runs")
    group.addoption("--carrier", metavar="NAME", help="the carrier of this run; the first, if not given")
    group.addoption("--accounts", metavar="FILE", type=Path, help="accounts that exist on the target")
    group.addoption("--clause", action="append", default=[], metavar="GLOB", help="only these (repeatable)")
    group.addoption("--without", action="append", default=[], metavar="NAME", help="capability it lacks")
    group.addoption("--require", default="MUST", choices=list(Level), help="up to which level it counts")
    group.addoption("--seed", type=int, help="where the dice of the cases start")
    group.addoption("--tell", metavar="PATH", type=Path, help="append a line of JSON for each case, at once")
    group.addoption("--conformance-json", metavar="PATH", type=Path, help="write verdicts by clause here")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "clause(id, ...): the clauses of the catalogue that a case speaks for")
    config.addinivalue_line(
        "markers",
        "only_over(name, ..., why): the carriers over which a case makes sense, and why no other",
    )
    config.addinivalue_line("markers", "once(why): no carrier changes what the case sees; it runs over one")
    config.addinivalue_line("markers", "needs(capability, ...): what a case needs beyond its clause")
    config.addinivalue_line(
        "markers", "speaks(dialect, ...): a case in words of these dialects; of `chat`, if there is no mark"
    )
    config.addinivalue_line("markers", "neutral: the case leaves all words to the client: for any dialect")
    config.addinivalue_line("markers", "by(place, ...): where a foreign standard says what the case looks at")
    config.addinivalue_line("markers", "calm(why): under a fault plan the case means nothing")
    config.addinivalue_line("markers", "lasts: under a fault plan it takes as long as all its phases")
    config.addinivalue_line("markers", "waits: the case runs side by side with all others that wait")
    option = config.option
    try:
        config.stash[target_key] = Target(
            option.target,
            option.accounts,
            option.without,
            option.http,
            wanted=option.over,
            carrier=option.carrier,
        )
    except TargetUnusable as error:
        raise pytest.UsageError(str(error)) from error
    seed = option.seed if option.seed is not None else new_seed()
    config.stash[seed_key] = seed
    config.stash[_record_key] = _Record(option.tell)


def pytest_unconfigure(config: pytest.Config) -> None:
    target = config.stash.get(target_key, None)
    if target is not None:
        target.close()


def pytest_report_header(config: pytest.Config) -> str:
    target = config.stash[target_key]
    return f"target: {target.name}, carrier: {target.carrier}, seed: {config.stash[seed_key]}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    globs: Sequence[str] = config.option.clause
    chosen: list[pytest.Item] = []
    others: list[pytest.Item] = []
    dialect = config.stash[target_key].dialect.name
    for item in items:
        clauses = _clauses_of(item)
        wanted = not globs or any(fnmatchcase(clause, glob) for clause in clauses for glob in globs)
        (chosen if wanted and _speaks(dialect, item) else others).append(item)
    if others:
        config.hook.pytest_deselected(items=others)
    items[:] = chosen
    for item in chosen:
        if isinstance(item, pytest.Function) and _runs_beside(config.stash[target_key], item):
            together.spare_fixtures(item)
    config.stash[target_key].cases_planned = len(chosen)


def _speaks(dialect: str, item: pytest.Item) -> bool:
    """Whether a case means anything to a dialect."""
    named = [name for mark in item.iter_markers("speaks") for name in mark.args]
    return _is_neutral(item) or dialect in (named or [OWN])


def _is_neutral(item: pytest.Item) -> bool:
    return item.get_closest_marker("neutral") is not None


def _clauses_of(item: pytest.Item) -> tuple[str, ...]:
    known = load()
    clauses = tuple(dict.fromkeys(str(name) for mark in item.iter_markers("clause") for name in mark.args))
    if not clauses:
        raise pytest.UsageError(f"{item.nodeid}: a case names its clause with @pytest.mark.clause(ID)")
    for clause in clauses:
        if clause not in known:
            raise pytest.UsageError(f"{item.nodeid}: the catalogue has no clause {clause!r}")
    return clauses


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    clauses = _clauses_of(item)
    for clause in clauses:
        item.user_properties.append(("clause", clause))
    target = item.config.stash[target_key]
    item.user_properties.append(("carrier", target.column))
    reason = _why_not(target, item)
    if reason:
        pytest.skip(reason)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """A case that waits is started with all the others; then only its outcome is left to tell."""
    stash = pyfuncitem.config.stash
    if not _runs_beside(stash[target_key], pyfuncitem):
        return None
    outcomes = stash.setdefault(together.outcomes_key, {})
    if pyfuncitem.nodeid not in outcomes:
        target = stash[target_key]
        waiting = [
            item
            for item in pyfuncitem.session.items
            if isinstance(item, pytest.Function)
            and _runs_beside(target, item)
            # Those for any dialect talk a lot, and others measure the times of what little they say.
            and _is_neutral(item) == _is_neutral(pyfuncitem)
        ]
        outcomes |= together.run_all(
            [item for item in waiting if not _why_not(target, item)],
            pyfuncitem.config,
        )
    outcome = outcomes[pyfuncitem.nodeid]
    if outcome is not None:
        raise outcome
    return True


def _why_not(target: Target, item: pytest.Item) -> str | None:
    """Why a case is not run; None when it is."""
    reason = _not_over(target, item) or _lacking(target, item)
    if reason is None and target.weather is not None:
        return target.weather.left_out(item, together.Given.NAMES, target.carrier)
    return reason


def _runs_beside(target: Target, item: pytest.Item) -> bool:
    """Whether a case runs at the same time as others: those that wait do, and under a fault plan all."""
    if target.weather is None:
        return together.waits(item)
    return target.weather.left_out(item, together.Given.NAMES, target.carrier) is None


def _lacking(target: Target, item: pytest.Item) -> str | None:
    """What the target lacks of that which the clauses of a case, or the case itself, need."""
    clauses = _clauses_of(item)
    if target.promises is not None:
        unpromised = next(filter(None, map(target.promises.lacks, clauses)), None)
        if unpromised:
            return unpromised
    of_clauses = [need for clause in clauses for need in load()[clause].needs]
    of_case = [str(need) for mark in item.iter_markers("needs") for need in mark.args]
    return next(filter(None, map(target.lacks, dict.fromkeys([*of_clauses, *of_case]))), None)


def _not_over(target: Target, item: pytest.Item) -> str | None:
    """Why the case does not run over the carrier of this run; None when it does."""
    for mark in item.iter_markers("only_over"):
        if target.carrier not in mark.args:
            return f"only over {', '.join(mark.args)}: {mark.kwargs['why']}"
    for mark in item.iter_markers("once"):
        if not target.runs_first:
            return f"ran with {target.chosen[0]}: {mark.args[0]}"
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    record = item.config.stash[_record_key]
    verdict, message = _judge(report, call.excinfo)
    report.__dict__["verdict"] = verdict
    if verdict is not Verdict.PASS or report.when == "call":
        record.phases.append((verdict, report.duration, message))
    if report.when == "teardown":
        record.finish(item, item.config.stash[target_key].column)
    return report


def _log_of(item: pytest.Item) -> list[str]:
    """What the clients of the case said, and those that it shares with others of its file."""
    module = item.getparent(pytest.Module)
    shared = module.stash.get(log_key, None) if module is not None else None
    own = item.stash.get(log_key, None)
    lines = (
        [] if shared is None or "lasting_clients" not in getattr(item, "fixturenames", ()) else shared.lines()
    )
    return [*lines, *(own.lines() if own is not None else [])]


def _description(item: pytest.Item) -> str:
    return inspect.cleandoc(getattr(getattr(item, "function", None), "__doc__", None) or "")


def _judge(
    report: pytest.TestReport, error: pytest.ExceptionInfo[BaseException] | None
) -> tuple[Verdict, str]:
    if error is None or report.passed:
        return Verdict.PASS, ""
    message = str(error.value).partition("\n")[0]
    if report.skipped:
        return Verdict.NOT_OFFERED, message
    if isinstance(error.value, _FAULTS_OF_THE_TARGET):
        return Verdict.FAIL, message
    return Verdict.UNKNOWN, f"{type(error.value).__name__}: {message}"


_FAULTS_OF_THE_TARGET = (
    AssertionError,
    pytest.fail.Exception,
    RemoteProtocolError,
    # A connection that ends where it must not; one that cannot even be made says nothing about a clause.
    ConnectionResetError,
    BrokenPipeError,
)


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    verdict = getattr(report, "verdict", None)
    if verdict is Verdict.NOT_OFFERED:
        return "not offered", "n", "NOT OFFERED"
    if verdict is Verdict.UNKNOWN:
        return "error", "U", "UNKNOWN"
    return None


def _results(config: pytest.Config) -> Results:
    target = config.stash[target_key]
    return Results(
        target.name,
        config.stash[seed_key],
        [target.column],
        config.stash[_record_key].cases,
        config.option.clause,
        target.promises,
    )


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    config = session.config
    if config.option.collectonly:
        return
    if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        session.exitstatus = exit_code(_results(config).clauses, Level(config.option.require))
    path: Path | None = config.option.conformance_json
    if path is not None:
        write_json(_results(config), path)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if not config.option.collectonly:
        write_summary(terminalreporter, _results(config).clauses)

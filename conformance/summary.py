"""The table at the end of a conformance run."""

from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from conformance.promises import Kind
from conformance.results import Results
from conformance.verdicts import ClauseResult, Verdict

_COLOURS = {Verdict.FAIL: "red", Verdict.UNKNOWN: "yellow", Verdict.PASS: "green"}


def write_summary(terminal: pytest.TerminalReporter, results: Sequence[ClauseResult]) -> None:
    """One line a clause, below it why it did not pass, at the end how many of each verdict."""
    terminal.section("clauses", sep="=")
    for result in results:
        if result.cases:
            _write_clause(terminal, result)
    for line in _end(results):
        terminal.line(line)


def matrix_lines(results: Results) -> Iterator[str]:
    """One line a clause with a verdict for each carrier, below it what did not pass, and the same end."""
    yield f"\n{'':<16}" + "".join(f"{carrier:<13}" for carrier in results.carriers)
    clauses = results.clauses
    for result in clauses:
        if not result.cases:
            continue
        verdicts = (f"{result.over(carrier).verdict:<13}" for carrier in results.carriers)
        yield f"{result.clause.id:<7} {result.clause.level:<8}" + "".join(verdicts).rstrip()
        for case in result.cases:
            if case.verdict in (Verdict.FAIL, Verdict.UNKNOWN):
                yield f"        {case.verdict} over {case.carrier}: {case.title}: {case.message}"
        yield from (f"        note: {note}" for note in result.notes)
    yield from _end(clauses)


def _end(results: Sequence[ClauseResult]) -> Iterator[str]:
    missing = [result.clause.id for result in results if result.verdict is Verdict.NO_CASE]
    if missing:
        yield f"no case: {' '.join(missing)}"
    foreign = [result.clause.id for result in results if not result.cases and result.clause.id not in missing]
    if foreign:
        yield f"not promised by the protocol: {' '.join(foreign)}"
    counts = Counter(result.verdict for result in results)
    yield ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])


def _write_clause(terminal: pytest.TerminalReporter, result: ClauseResult) -> None:
    colour = {_COLOURS[result.verdict]: True} if result.verdict in _COLOURS else {}
    clause = result.clause
    count = f"{len(result.cases)} case{'s' if len(result.cases) > 1 else ''}"
    terminal.write(f"{clause.id:<7} {clause.level:<7}")
    terminal.write(f"{result.verdict:<12}", **colour)
    promise = result.promise
    by = (
        ""
        if promise is None or promise.promise is Kind.NONE
        else f", {promise.promise}: {', '.join(promise.by)}"
    )
    terminal.line(f" {count}{by}")
    reasons = Counter(
        (case.verdict, case.title, case.message) for case in result.cases if case.verdict is not Verdict.PASS
    )
    for verdict, name, message in reasons:
        terminal.line(f"        {verdict}: {name}: {message}")
    for note in result.notes:
        terminal.line(f"        note: {note}")

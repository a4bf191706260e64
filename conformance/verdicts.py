"""What came out, by case, by carrier and by clause."""

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NoReturn

import msgspec
import pytest

from conformance.catalogue import Clause, Level


class Verdict(enum.StrEnum):
    """Of a case or a clause; where several meet, the first listed one wins."""

    FAIL = "fail"
    UNKNOWN = "unknown"
    PASS = "pass"
    NOT_OFFERED = "not offered"
    NO_CASE = "no case"


_RANK = {verdict: rank for rank, verdict in enumerate(Verdict)}


class Undecided(Exception):
    """The case cannot tell whether the clause is kept: the verdict is unknown, never pass."""


def not_offered(reason: str) -> NoReturn:
    """End the case: the target does not have what the case is about."""
    pytest.skip(reason)


class CaseResult(msgspec.Struct, frozen=True):
    """One case over one carrier. `clauses`: what it speaks for; `message`: why, one line or "";
    `description`: what it does; `log`: what its clients sent and received, a line each."""

    name: str
    carrier: str
    clauses: Sequence[str]
    verdict: Verdict
    duration_s: float
    message: str
    description: str
    log: Sequence[str] = ()

    @property
    def title(self) -> str:
        """The name without its file."""
        return self.name.rpartition("::")[2]


@dataclass(frozen=True, slots=True)
class ClauseResult:
    """One clause with its cases in the order in which they ran."""

    clause: Clause
    verdict: Verdict
    cases: tuple[CaseResult, ...]

    def over(self, carrier: str) -> "ClauseResult":
        """The same over one carrier."""
        own = tuple(case for case in self.cases if case.carrier == carrier)
        return ClauseResult(self.clause, worst(case.verdict for case in own), own)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """fail > unknown > pass > not offered; NO_CASE when there is nothing to judge by."""
    return min(verdicts, key=_RANK.__getitem__, default=Verdict.NO_CASE)


def by_clause(clauses: Iterable[Clause], cases: Iterable[CaseResult]) -> list[ClauseResult]:
    """The verdict of each of `clauses`, in their order."""
    known = list(cases)
    results = []
    for clause in clauses:
        own = tuple(case for case in known if clause.id in case.clauses)
        results.append(ClauseResult(clause, worst(case.verdict for case in own), own))
    return results


def exit_code(results: Iterable[ClauseResult], required: Level) -> int:
    """1 when a clause up to `required` failed, 3 when one could not be decided, else 0."""
    binding = [result.verdict for result in results if result.clause.level.binds_at(required)]
    if Verdict.FAIL in binding:
        return 1
    return 3 if Verdict.UNKNOWN in binding else 0

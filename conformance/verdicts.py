"""What came out, by case, by carrier and by clause."""

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NoReturn

import msgspec
import pytest

from conformance.catalogue import Clause, Level
from conformance.promises import Kind, Promise, Promises


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
    `description`: what it does; `log`: what its clients sent and received, a line each; `notes`: what it
    found that our clause would not have and the target's own standard allows; `by`: where that standard says
    what the case looks at, if its clause does not tell."""

    name: str
    carrier: str
    clauses: Sequence[str]
    verdict: Verdict
    duration_s: float
    message: str
    description: str
    log: Sequence[str] = ()
    notes: Sequence[str] = ()
    by: Sequence[str] = ()

    @property
    def title(self) -> str:
        """The name without its file."""
        return self.name.rpartition("::")[2]


@dataclass(frozen=True, slots=True)
class ClauseResult:
    """One clause with its cases in the order in which they ran. `promise`: what the target's own standard
    says of it; None where the clause is the standard."""

    clause: Clause
    cases: tuple[CaseResult, ...]
    promise: Promise | None = None

    @property
    def verdict(self) -> Verdict:
        """The worst of its cases; a clause that is not promised needs none to be not offered."""
        if not self.cases and self.promise is not None and self.promise.promise is Kind.NONE:
            return Verdict.NOT_OFFERED
        return worst(case.verdict for case in self.cases)

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of its cases, each once."""
        return tuple(dict.fromkeys(note for case in self.cases for note in case.notes))

    def over(self, carrier: str) -> "ClauseResult":
        """The same over one carrier."""
        own = tuple(case for case in self.cases if case.carrier == carrier)
        return ClauseResult(self.clause, own, self.promise)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """fail > unknown > pass > not offered; NO_CASE when there is nothing to judge by."""
    return min(verdicts, key=_RANK.__getitem__, default=Verdict.NO_CASE)


def by_clause(
    clauses: Iterable[Clause], cases: Iterable[CaseResult], promises: Promises | None = None
) -> list[ClauseResult]:
    """The verdict of each of `clauses`, in their order."""
    known = list(cases)
    results = []
    for clause in clauses:
        own = tuple(case for case in known if clause.id in case.clauses)
        results.append(ClauseResult(clause, own, None if promises is None else promises.of(clause.id)))
    return results


def exit_code(results: Iterable[ClauseResult], required: Level) -> int:
    """1 when a clause up to `required` failed, 3 when one could not be decided, else 0."""
    binding = [result.verdict for result in results if result.clause.level.binds_at(required)]
    if Verdict.FAIL in binding:
        return 1
    return 3 if Verdict.UNKNOWN in binding else 0

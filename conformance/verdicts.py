"""What came out, by case and by clause, and the document that other programs read.

conformance.json
  schema      1
  target      URL, or "reference server" when the suite started one
  seed        what cases rolled their dice from
  clauses     by id: level, text, verdict, cases
    cases     name, verdict, duration_s, message (why, one line or ""), description (what the case does)
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import pytest

from conformance.catalogue import Clause, Level

SCHEMA = 1


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


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case. `clauses`: what it speaks for."""

    name: str
    clauses: tuple[str, ...]
    verdict: Verdict
    duration_s: float
    message: str
    description: str


@dataclass(frozen=True, slots=True)
class ClauseResult:
    """One clause with its cases in the order in which they ran."""

    clause: Clause
    verdict: Verdict
    cases: tuple[CaseResult, ...]


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


def document(target: str, seed: int, results: Iterable[ClauseResult]) -> Mapping[str, Any]:
    """The contents of conformance.json, as in the heading of this file."""
    return {
        "schema": SCHEMA,
        "target": target,
        "seed": seed,
        "clauses": {
            result.clause.id: {
                "level": result.clause.level.value,
                "text": result.clause.text,
                "verdict": result.verdict.value,
                "cases": [_case(case) for case in result.cases],
            }
            for result in results
        },
    }


def _case(case: CaseResult) -> Mapping[str, Any]:
    return {
        "name": case.name,
        "verdict": case.verdict.value,
        "duration_s": round(case.duration_s, 3),
        "message": case.message,
        "description": case.description,
    }

"""What a check says: a verdict, its figures, and the smallest evidence a person needs."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    PASS = "pass"
    UNKNOWN = "unknown"
    FAIL = "fail"


_BADNESS = list(Verdict)

MOST_WITNESSES = 8


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """fail > unknown > pass; nothing at all is unknown."""
    return max(verdicts, key=_BADNESS.index, default=Verdict.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Witness:
    """One thing that went wrong: a line that names it, and the rows that show it."""

    text: str
    rows: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """A check's answer. `figures` go into summary.json as they are; `reason` says why a verdict is unknown;
    at most MOST_WITNESSES witnesses, worst first. `checked` is false if there was nothing to check."""

    verdict: Verdict
    figures: dict[str, Any] = field(default_factory=dict)
    witnesses: tuple[Witness, ...] = ()
    reason: str = ""
    checked: bool = True


def nothing(reason: str, figures: dict[str, Any] | None = None) -> Result:
    """There was nothing to check: unknown, never pass."""
    return Result(Verdict.UNKNOWN, figures or {}, reason=reason, checked=False)

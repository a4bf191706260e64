"""All figures of all sides, what changed from the first to each of the others, and what that means for CI.

Sides of another server or dialect than the first are shown and not judged: none is a regression of another.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from reports.compare.figure import Figure, Measured, all_figures
from reports.compare.noise import Change, Kind, change
from reports.compare.run import Side
from reports.compare.setup import differences

_ORDER = {"fail": 0, "unknown": 1, "pass": 2}


@dataclass(frozen=True, slots=True)
class Row:
    """A figure: of each side the mean over its runs (None: it has no such figure), and the changes from the
    first side to the others."""

    figure: Figure
    values: tuple[float | None, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A check: the worst verdict of each side, and whether that is worse than the first side's."""

    name: str
    verdicts: tuple[str, ...]
    worse: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """`judged`: for each further side, whether changes of it count. `exit_code`: 0, 1 or 99."""

    sides: tuple[Side, ...]
    rows: tuple[Row, ...]
    verdicts: tuple[Verdict, ...]
    judged: tuple[bool, ...]
    setup: list[tuple[str, list[str]]]
    missed: tuple[str, ...] = field(default=())
    """Thresholds that a further side missed and the first kept."""

    def of(self, kind: Kind) -> list[Change]:
        """The changes of that kind, of judged sides."""
        return [
            one
            for row in self.rows
            for one, counts in zip(row.changes, self.judged, strict=True)
            if counts and one.kind is kind
        ]

    @property
    def overloaded(self) -> list[str]:
        """The runs whose latencies are left out."""
        return [run.name for side in self.sides for run in side.runs if not run.is_valid]

    @property
    def failed(self) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if verdict.worse]

    @property
    def exit_code(self) -> int:
        """1: a check fails that passed, or a figure is worse beyond noise; 99: only a threshold is missed
        that was kept; 0 otherwise."""
        if self.failed or self.of(Kind.WORSE):
            return 1
        return 99 if self.missed else 0

    @property
    def headline(self) -> tuple[str, str]:
        """A word, and a line that says why."""
        worse, better = self.of(Kind.WORSE), self.of(Kind.BETTER)
        if not any(self.judged):
            return "Compared", "different servers or protocols are shown beside each other and not judged"
        if self.failed or worse:
            names = [f"{one.name} {' → '.join(one.verdicts)}" for one in self.failed]
            names += [f"{one.figure.title} {told_change(one)}" for one in worse]
            return "Worse", "; ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        if self.missed:
            return "Missed", f"thresholds missed that were kept before: {', '.join(self.missed)}"
        if better:
            names = [f"{one.figure.title} {told_change(one)}" for one in better]
            return "Better", "; ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        return "Alike", "nothing changed beyond noise"


def compared(sides: Sequence[Side]) -> Comparison:
    """Of two sides or more."""
    base = sides[0]
    judged = tuple(
        side.first.dialect == base.first.dialect and side.first.server == base.first.server
        for side in sides[1:]
    )
    measured = [(figure, [_measured(figure, side) for side in sides]) for figure in all_figures()]
    return Comparison(
        tuple(sides),
        tuple(_row(figure, found, judged) for figure, found in measured if any(any(side) for side in found)),
        tuple(_verdicts(sides, judged)),
        judged,
        differences(sides),
        tuple(_missed(sides, judged)),
    )


def as_json(comparison: Comparison) -> dict[str, Any]:
    """The comparison for machines; keys are never renamed."""
    word, line = comparison.headline
    return {
        "schema": 1,
        "result": word.lower(),
        "why": line,
        "exit_code": comparison.exit_code,
        "sides": [
            {
                "label": side.label,
                "runs": [str(run.path) for run in side.runs],
                "server": side.first.server,
                "dialect": side.first.dialect,
                "judged": place == 0 or comparison.judged[place - 1],
            }
            for place, side in enumerate(comparison.sides)
        ],
        "checks": {one.name: {"verdicts": one.verdicts, "worse": one.worse} for one in comparison.verdicts},
        "figures": {
            row.figure.name: {
                "values": row.values,
                "changes": [
                    {"kind": one.kind, "relative": one.relative, "low": one.low, "high": one.high}
                    for one in row.changes
                ],
            }
            for row in comparison.rows
        },
        "overloaded": comparison.overloaded,
        "setup": dict(comparison.setup),
        "thresholds_missed": comparison.missed,
    }


def told_change(one: Change) -> str:
    """`+12 %`, or from what to what where there was nothing before."""
    if one.relative is None:
        say = one.figure.say
        return f"{_or_dash(one.base, say)} → {_or_dash(one.value, say)}"
    return signed(one.relative)


def signed(share: float) -> str:
    """`+12 %`, `−3.4 %`, `×4.2`: a share of the base as people say it."""
    if share >= 2:
        return f"×{share + 1:.3g}"
    percent = share * 100
    if abs(percent) < 0.05:
        return "±0 %"
    return f"{percent:+.{0 if abs(percent) >= 10 else 1}f} %".replace("-", "−")


def _or_dash(value: float | None, say: Any) -> str:
    return "–" if value is None else str(say(value))


def _measured(figure: Figure, side: Side) -> list[Measured | None]:
    return [figure.measure(run) for run in side.runs]


def _only_shown(one: Change) -> Change:
    return replace(one, kind=Kind.SHOWN) if one.kind in (Kind.WORSE, Kind.BETTER) else one


def _row(figure: Figure, found: list[list[Measured | None]], judged: Sequence[bool]) -> Row:
    changes = tuple(
        one if counts else _only_shown(one)
        for one, counts in zip((change(figure, found[0], side) for side in found[1:]), judged, strict=True)
    )
    first = change(figure, found[0], found[0]).base
    return Row(figure, (first, *(one.value for one in changes)), changes)


def _verdicts(sides: Sequence[Side], judged: Sequence[bool]) -> list[Verdict]:
    names = dict.fromkeys(name for side in sides for run in side.runs for name in run.summary["checks"])
    found = []
    for name in names:
        verdicts = tuple(_worst(side, name) for side in sides)
        worse = any(
            counts and verdicts[0] == "pass" and verdict == "fail"
            for counts, verdict in zip(judged, verdicts[1:], strict=True)
        )
        found.append(Verdict(name, verdicts, worse))
    return found


def _worst(side: Side, name: str) -> str:
    checks = [run.summary["checks"].get(name) for run in side.runs]
    told = [check["verdict"] for check in checks if check and check.get("checked")]
    return min(told, key=lambda verdict: _ORDER.get(verdict, 1), default="–")


def _missed(sides: Sequence[Side], judged: Sequence[bool]) -> list[str]:
    kept = {
        limit["expression"]
        for limit in sides[0].runs[0].summary.get("thresholds", [])
        if all(_keeps(run.summary, limit["expression"]) for run in sides[0].runs)
    }
    return sorted(
        expression
        for expression in kept
        if any(
            counts and not all(_keeps(run.summary, expression) for run in side.runs)
            for counts, side in zip(judged, sides[1:], strict=True)
        )
    )


def _keeps(summary: Any, expression: str) -> bool:
    return all(limit["ok"] for limit in summary.get("thresholds", []) if limit["expression"] == expression)

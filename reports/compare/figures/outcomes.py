"""What became of messages, for each that a device should have had; and violations of order and counts."""

from collections.abc import Callable

from reports.compare.figure import Better, Figure, Measured, register
from reports.compare.run import Run
from reports.figures import exact, share

_NEVER = ("lost", "duplicated", "altered", "unexpected")
_SHOWN = ("ok", "recovered", "late", "undetermined", "repeats_suppressed", "retransmitted_sends")
_VIOLATIONS = {
    "ordering.violations": "violations of order",
    "unread.violations": "wrong unread counts",
    "durability.lost": "acknowledged, gone after a kill",
}


def _count(path: str) -> Callable[[Run], Measured | None]:
    def measure(run: Run) -> Measured | None:
        value = run.at(f"checks.{path}")
        return None if value is None else Measured(value)

    return measure


def _share(outcome: str) -> Callable[[Run], Measured | None]:
    def measure(run: Run) -> Measured | None:
        count, expected = run.at(f"checks.completeness.{outcome}"), run.at("checks.completeness.expected")
        return Measured(count / expected) if count is not None and expected else None

    return measure


def _percent(value: float) -> str:
    return share(value, 1.0) if value else "0 %"


for _place, _outcome in enumerate(_NEVER):
    register(
        Figure(
            name=f"checks.completeness.{_outcome}",
            order=10 + _place,
            group="messages",
            title=f"{_outcome} deliveries",
            say=exact,
            better=Better.NEVER,
            measure=_count(f"completeness.{_outcome}"),
        )
    )
for _place, (_path, _title) in enumerate(_VIOLATIONS.items()):
    register(
        Figure(
            name=f"checks.{_path}",
            order=20 + _place,
            group="messages",
            title=_title,
            say=exact,
            better=Better.NEVER,
            measure=_count(_path),
        )
    )
for _place, _outcome in enumerate(_SHOWN):
    register(
        Figure(
            name=f"checks.completeness.{_outcome}.share",
            order=30 + _place,
            group="messages",
            title=f"{_outcome.replace('_', ' ')}, of those expected",
            say=_percent,
            better=Better.NEITHER,
            measure=_share(_outcome),
        )
    )

"""One look at a run, and what two looks tell: rates, and the latencies of the last seconds."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

_REMEMBERED = 40


@dataclass(slots=True)
class Status:
    """`totals` as of scenarios.conductor; times in seconds."""

    phase: str
    elapsed_s: float
    totals: dict[str, Any]
    p99_ms: float | None
    faults: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "phase": self.phase,
            "elapsed_s": round(self.elapsed_s, 3),
            **self.totals,
            "p99_ms": self.p99_ms,
            "faults": self.faults,
        }


class Pace:
    """A second, of what was opened, acknowledged and answered between the last two looks."""

    def __init__(self) -> None:
        self.opened = self.acked = self.beats = 0.0
        self.latencies: deque[float] = deque(maxlen=_REMEMBERED)
        self._last: tuple[float, dict[str, int]] | None = None

    def look(self, status: Status, now: float) -> None:
        """Another look, at a monotonic second."""
        totals = status.totals
        counts = {
            "opened": totals["connections"],
            "acked": totals["messages"].get("acked", 0),
            "beats": totals["beats"].get("answered", 0),
        }
        if self._last is not None and now > self._last[0]:
            before, known = self._last
            for name, count in counts.items():
                setattr(self, name, max(0.0, (count - known[name]) / (now - before)))
        self._last = (now, counts)
        if status.p99_ms is not None:
            self.latencies.append(status.p99_ms)

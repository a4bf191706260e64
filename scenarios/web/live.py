"""What a run did in each second of the last hour: totals of all processes, never one event."""

import time
from collections import Counter, deque
from collections.abc import Mapping
from typing import Any

import gevent
from locust.env import Environment

from scenarios.conductor import Conductor

KEPT_S = 3600
COLUMNS = (
    "at_s", "connections", "target", "sent", "acked", "delivered", "owed", "overdue",
    "beats_answered", "beats_missed", "p50_ms", "p99_ms", "loop_lag_ms", "cpu_share", "late_sends",
)  # fmt: skip
Point = tuple[float | None, ...]


class Live:
    """Looks once a second while there is a run. `points` are numbered through; `first` is the number of the
    oldest that is kept, `run` counts the runs."""

    def __init__(self, environment: Environment, conductor: Conductor) -> None:
        self._environment = environment
        self._conductor = conductor
        self._answered: Counter[int] = Counter()
        self.points: deque[Point] = deque(maxlen=KEPT_S)
        self.count = 0
        self.run = 0
        self.started_s = 0.0
        self.peak = 0
        environment.events.test_start.add_listener(self._on_test_start)
        environment.events.test_stop.add_listener(self._on_test_stop)
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def since(self, number: int) -> list[Point]:
        """The points from that number on."""
        kept = list(self.points)
        return kept[max(0, number - (self.count - len(kept))) :]

    def look(self) -> None:
        """One more point."""
        totals = self._conductor.totals()
        messages, beats, health = totals["messages"], totals["beats"], totals["health"]
        p50, p99 = self._latency_ms()
        self.peak = max(self.peak, totals["connections"])
        self.points.append(
            (
                round(time.monotonic() - self.started_s, 2),
                totals["connections"],
                totals["target"],
                messages.get("sent", 0),
                messages.get("acked", 0),
                messages.get("delivered", 0),
                totals["deliveries"].get("owed", 0),
                totals["deliveries"].get("overdue", 0),
                beats.get("answered", 0),
                beats.get("missed", 0),
                p50,
                p99,
                round(health["loop_lag_ms"], 1),
                round(health["cpu_share"], 3),
                totals["sends"].get("late", 0),
            )
        )
        self.count += 1

    def _on_test_start(self, **_: Any) -> None:
        self.points.clear()
        self._answered.clear()
        self.run, self.count, self.peak, self.started_s = self.run + 1, 0, 0, time.monotonic()
        if self._greenlet is not None:
            self._greenlet.kill()
        self._greenlet = gevent.spawn(self._look_on)

    def _on_test_stop(self, **_: Any) -> None:
        if self._greenlet is not None:
            self._greenlet.kill()
            self._greenlet = None
        self.look()

    def _look_on(self) -> None:
        due = time.monotonic()
        while True:
            self.look()
            due = max(due + 1.0, time.monotonic())
            gevent.sleep(due - time.monotonic())

    def _latency_ms(self) -> tuple[float | None, float | None]:
        """Of the deliveries entered since the last look, to Locust's two digits."""
        entry = self._environment.stats.entries.get(("deliver", "RECV"))
        now: Mapping[int, int] = {} if entry is None else entry.response_times
        fresh = {value: count - self._answered[value] for value, count in now.items()}
        self._answered = Counter(now)
        return quantile(fresh, 0.5), quantile(fresh, 0.99)


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """The smallest value that so large a share does not exceed; None without values."""
    total = sum(count for count in counts.values() if count > 0)
    seen = 0
    for value in sorted(counts):
        seen += max(0, counts[value])
        if total and seen >= share * total:
            return float(value)
    return None

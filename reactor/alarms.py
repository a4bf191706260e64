"""Exact deadlines: one hub timer for the earliest of many callbacks."""

import heapq
import itertools
import time
from collections.abc import Callable

import gevent

from reactor.guarded import guarded


class Alarms:
    """`at(when, call)` runs `call()` in the hub at monotonic second `when`, in order of `when`.

    For what has to be on time to the millisecond (planned sends, delayed chunks); what beats regularly
    belongs in the timer wheel.
    """

    __slots__ = ("_armed_for", "_closed", "_heap", "_order", "_timer")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._timer = gevent.get_hub().loop.timer(0)
        self._armed_for: float | None = None
        self._closed = False

    def at(self, when: float, call: Callable[[], None]) -> None:
        """Equal times run in the order in which they were asked for."""
        heapq.heappush(self._heap, (when, next(self._order), call))
        if self._armed_for is None or when < self._armed_for:
            self._arm()

    def close(self) -> None:
        """Forget every deadline, also those asked for later. Closing twice is allowed."""
        self._closed = True
        self._heap.clear()
        self._timer.stop()
        self._timer.close()

    def _arm(self) -> None:
        self._timer.stop()
        self._armed_for = None
        if self._closed:
            self._heap.clear()
        elif self._heap:
            self._armed_for = self._heap[0][0]
            self._timer = gevent.get_hub().loop.timer(max(self._armed_for - time.monotonic(), 0.0))
            self._timer.start(self._ring)

    def _ring(self) -> None:
        # What is pushed by a callback for now or earlier waits for the next round: a callback that keeps
        # asking for "now" must not hold the hub.
        now = time.monotonic()
        due: list[Callable[[], None]] = []
        while self._heap and self._heap[0][0] <= now:
            due.append(heapq.heappop(self._heap)[2])
        for call in due:
            if not self._closed:
                guarded(call)
        self._arm()

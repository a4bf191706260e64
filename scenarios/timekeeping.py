"""Readings of another machine's clock through a run: many at its ends, one a second in between.

A reading is as uncertain as its round trip is long, and round trips through a busy process are long now and
then. So of each stretch of time only the shortest is kept.
"""

import time

from ledger.clocks import MASTERS, Clock, Reading, clock_of
from scenarios.calls import Calls

_BURST = 30
_STRETCH_NS = 10 * 10**9
_TIMEOUT_S = 5.0


class Timekeeper:
    """Of one machine. `shared`: it says that it has the master's own clock; believed if the first readings
    do not say otherwise, and then its offset is exactly 0."""

    def __init__(self, calls: Calls, *, shared: bool) -> None:
        self._calls = calls
        self._says_shared = shared
        self._kept: list[Reading] = []
        self._best: Reading | None = None
        self._count = 0

    def look(self, node: str) -> bool:
        """One reading, by the process behind `node`; false if it did not answer."""
        reading = self._read(node)
        if reading is None:
            return False
        best = self._best
        if best is not None and reading.at_ns - best.at_ns > _STRETCH_NS:
            self._keep()
            best = None
        if best is None or reading.round_trip_ns < best.round_trip_ns:
            self._best = reading
        return True

    def look_closely(self, node: str) -> None:
        """Many readings, one after the other, of which the best is kept."""
        self._keep()
        found = []
        for _ in range(_BURST):
            reading = self._read(node)
            if reading is None:
                break
            found.append(reading)
        self._best = min(found, key=lambda reading: reading.round_trip_ns, default=None)
        self._keep()

    @property
    def clock(self) -> Clock:
        """As far as it is known by now."""
        kept = self._kept if self._best is None else [*self._kept, self._best]
        if self._says_shared and kept and all(reading.allows(0) for reading in kept):
            return MASTERS
        kept.sort(key=lambda reading: reading.at_ns)
        clock = clock_of(kept)
        return Clock(clock.knots, self._count)

    def _read(self, node: str) -> Reading | None:
        asked_ns = time.monotonic_ns()
        answer = self._calls.ask(node, "time", _TIMEOUT_S)
        if answer is None:
            return None
        self._count += 1
        return Reading.of(asked_ns, answer.content["at_ns"], answer.at_ns)

    def _keep(self) -> None:
        if self._best is not None:
            self._kept.append(self._best)
            self._best = None

"""Connections that sent more than is dealt with at once: each goes on in its turn, others in between.

A callback of the hub would not do: callbacks that ask for callbacks run dozens of times before the sockets
of others are looked at, and a thread of the store that wants the interpreter waits all that while.
"""

import time
from collections import deque
from collections.abc import Callable

from reactor.alarms import Alarms
from reactor.guarded import guarded
from refserver.access.connection import Connection

TURN_S = 0.002
"""For all of them together; then everybody else has as long as the turn took."""


class Turns:
    """Calls `go_on(connection)` in the hub, for one after the other in the order in which they came; it deals
    with a little and puts the connection back if there is more."""

    __slots__ = ("_alarms", "_clock", "_go_on", "_is_asked", "_waiting")

    def __init__(
        self, go_on: Callable[[Connection], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._go_on = go_on
        self._clock = clock
        self._alarms = Alarms()
        self._waiting: deque[Connection] = deque()
        self._is_asked = False

    def put(self, connection: Connection) -> None:
        """It goes on after the next look at all sockets at the earliest. Putting twice is putting once."""
        if connection.waits:
            return
        connection.waits = True
        self._waiting.append(connection)
        if not self._is_asked:
            self._is_asked = True
            self._alarms.at(self._clock(), self._turn)

    def _turn(self) -> None:
        waiting = self._waiting
        began = now = self._clock()
        while waiting and now - began < TURN_S:
            connection = waiting.popleft()
            connection.waits = False
            guarded(self._go_on, connection)
            now = self._clock()
        self._is_asked = bool(waiting)
        if waiting:
            self._alarms.at(now + (now - began), self._turn)

    def close(self) -> None:
        """Nobody goes on any more."""
        self._alarms.close()
        self._waiting.clear()

"""When a connection has been silent for too long, and when its pushes are to be sent again.

One item a connection in a wheel, armed lazily: a frame moves a deadline by writing down when it came.
"""

import time
from array import array
from collections.abc import Callable

from protocol import frames
from protocol.errors import ErrorCode
from protocol.limits import LOGIN_TIMEOUT_S, RETRANSMIT_START_S, silence_limit_s
from protocol.messages import Error
from reactor.wheel import Ticker, TimerWheel
from refserver.access.connection import Connection, State
from refserver.access.lines import LINGER_S, Lines

TICK_S = 0.1
_SLOTS = 4096
_HORIZON_S = TICK_S * (_SLOTS // 2)


class Deadlines:
    """Closes what is silent or late; calls `push_again(connection, now)` while a connection has a window.
    `cleared`: how many it closed."""

    __slots__ = (
        "_armed_for", "_lines", "_push_again", "_pushes", "_silence", "_ticked_at", "_ticker", "cleared",
    )  # fmt: skip

    def __init__(
        self, lines: Lines, push_again: Callable[[Connection, float], None], *, pace_s: float = 0.0
    ) -> None:
        tick_s = max(TICK_S, pace_s)
        now = time.monotonic()
        self._lines = lines
        self._push_again = push_again
        # Items are connection numbers: a closed connection must not live on because the wheel holds it.
        self._silence: TimerWheel[int] = TimerWheel(now, tick_s=tick_s, slots=_SLOTS)
        self._pushes: TimerWheel[int] = TimerWheel(now, tick_s=tick_s, slots=64)
        self._armed_for = array("d")
        self._ticked_at = now
        self.cleared = 0
        self._ticker = Ticker(tick_s, self._tick)

    def stop(self) -> None:
        self._ticker.stop()

    def watch(self, connection: Connection) -> None:
        """The connection has another deadline than before, or its first."""
        fd = connection.fd
        if fd >= len(self._armed_for):
            self._armed_for.extend([0.0] * (max(fd + 1, 2 * len(self._armed_for)) - len(self._armed_for)))
        due = self._deadline(connection)
        if connection.state is State.NEW or due < self._armed_for[fd]:
            self._arm(connection, due)

    def watch_pushes(self, connection: Connection, now: float) -> None:
        """To be called once for each window."""
        self._pushes.arm(connection.number, now + RETRANSMIT_START_S)

    def _arm(self, connection: Connection, due: float) -> None:
        # Counted from the last tick, not from now: were this process stopped for long, the wheel would bring
        # the item up before the time noted here, and it would be taken for a leftover.
        due = min(due, self._ticked_at + _HORIZON_S)
        self._armed_for[connection.fd] = due
        self._silence.arm(connection.number, due)

    def _deadline(self, connection: Connection) -> float:
        seen = self._lines.seen[connection.fd]
        if connection.state is State.NEW:
            return seen + LOGIN_TIMEOUT_S
        if connection.state is State.CLOSING:
            return seen + LINGER_S
        return seen + silence_limit_s(connection.heartbeat_s)

    def _tick(self) -> None:
        now = self._ticked_at = time.monotonic()
        for number in self._silence.advance(now):
            connection = self._lines.get(number)
            # After a deadline came nearer there are two items for a while; the later one is nobody's.
            if connection is not None and self._armed_for[connection.fd] <= now:
                self._check(connection, now)
        for number in self._pushes.advance(now):
            connection = self._lines.get(number)
            if connection is not None and connection.window is not None:
                self._push_again(connection, now)
                if len(connection.window):
                    self._pushes.arm(number, now + RETRANSMIT_START_S)
                else:
                    connection.window = None

    def _check(self, connection: Connection, now: float) -> None:
        if self._deadline(connection) <= now:
            self._look_once_more(connection, now)
        if self._lines.get(connection.number) is None:
            return
        if self._deadline(connection) <= now and connection.state is State.NEW:
            late = Error(code=ErrorCode.NOT_LOGGED_IN, text="no LOGIN in time", fatal=True)
            self._lines.finish(connection, frames.encode(late))
        due = self._deadline(connection)
        if due > now:
            self._arm(connection, due)
        else:
            self.cleared += 1
            self._lines.close(connection)

    def _look_once_more(self, connection: Connection, now: float) -> None:
        if connection.state is State.CLOSING:
            return
        if connection.paused and connection.out is None:
            # It is we who do not read: business owes an answer, and silence proves nothing.
            self._lines.seen[connection.fd] = now
        else:
            self._lines.look(connection, now)

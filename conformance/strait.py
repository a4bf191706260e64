"""A way to an access point that a case can close: whatever the bytes mean, it holds them or cuts them off.

What is held waits, and goes with the connection when that is cut: so an acknowledgement gets lost in any
protocol over any carrier, without a broken stream.
"""

import errno
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import gevent
import gevent.event
import gevent.server
import gevent.socket

from drivers.endpoints import Endpoint
from reactor import sockets

_HOST = "127.0.0.1"
_READ_BYTES = 65536
UP, DOWN = "up", "down"
Dial = Callable[[tuple[str, int]], gevent.socket.socket]


class _Passage:
    """One connection through the strait."""

    def __init__(self, client: gevent.socket.socket, server: gevent.socket.socket) -> None:
        self.client = client
        self.server = server
        self.is_cut = False
        self.is_stranded = False
        self.ended = gevent.event.Event()

    def cut(self) -> None:
        self.is_cut = True
        self.ended.set()
        for end in (self.client, self.server):
            if end.fileno() >= 0:
                sockets.reset(end.detach())


class Strait:
    """`endpoint` is `beyond` by way of it. `hold` and `let` are for connections there are and those to come.
    `dial` makes its own connections.

    `closed_at`: when the server last ended a connection by itself, monotonic; None while it has not.
    """

    def __init__(self, beyond: Endpoint, dial: Dial = gevent.socket.create_connection) -> None:
        self._dial = dial
        self.closed_at: float | None = None
        self._address = beyond.address
        self._sign = b""
        self._open = {UP: gevent.event.Event(), DOWN: gevent.event.Event()}
        self.let(UP, DOWN)
        self._passages: list[_Passage] = []
        self._closed = gevent.event.Event()
        self._empty = gevent.event.Event()
        self._server = gevent.server.StreamServer((_HOST, 0), self._pass)
        self._server.start()
        self.endpoint = beyond.moved(_HOST, int(self._server.server_port or 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()
        self.let(UP, DOWN)
        self._server.stop(0)

    def hold(self, *directions: str) -> None:
        """Nothing arrives any more in these directions."""
        for direction in directions:
            self._open[direction].clear()

    def let(self, *directions: str) -> None:
        """What was held arrives, and what follows."""
        for direction in directions:
            self._open[direction].set()

    def cut(self) -> None:
        """Both ends of every connection are reset; what was held is lost."""
        passages, self._passages = self._passages, []
        for passage in passages:
            passage.cut()

    def strand(self) -> None:
        """Nothing passes any more on the connections there are, not even their end; others may be made."""
        for passage in self._passages:
            passage.is_stranded = True

    def hold_up_after(self, sign: bytes) -> None:
        """Nothing goes up any more as soon as `sign` comes down, before it arrives."""
        self._sign = sign

    def await_closed(self, timeout_s: float) -> float | None:
        """When the server ended a connection by itself; None if it has not in time."""
        self._closed.wait(timeout_s)
        return self.closed_at

    def await_empty(self, timeout_s: float = 10.0) -> None:
        """Returns once no connection is left, because those who had them are gone, or after the time."""
        self._empty.wait(timeout_s)

    def _pass(self, client: gevent.socket.socket, _: object) -> None:
        try:
            server = self._dial(self._address)
        except OSError:
            client.close()
            return
        passage = _Passage(client, server)
        self._passages.append(passage)
        self._empty.clear()
        up = gevent.spawn(self._carry, passage, client, server, UP)
        self._carry(passage, server, client, DOWN)
        up.join()
        if passage in self._passages:
            self._passages.remove(passage)
        if not self._passages:
            self._empty.set()

    def _carry(
        self, passage: _Passage, source: gevent.socket.socket, to: gevent.socket.socket, direction: str
    ) -> None:
        try:
            while data := source.recv(_READ_BYTES):
                self._look_for_sign(direction, data)
                self._wait(passage, direction)
                to.sendall(data)
        except OSError as error:
            if passage.is_cut or error.errno == errno.EBADF:
                return
        # A way on which nothing arrives does not tell of an end either.
        self._wait(passage, direction)
        if direction is DOWN and not passage.is_cut:
            self.closed_at = time.monotonic()
            self._closed.set()
        passage.cut()

    def _wait(self, passage: _Passage, direction: str) -> None:
        self._open[direction].wait()
        if passage.is_stranded:
            passage.ended.wait()

    def _look_for_sign(self, direction: str, data: bytes) -> None:
        if self._sign and direction is DOWN and self._sign in data:
            self._sign = b""
            self.hold(UP)

"""Carries what a polling carrier does to its server: a client at one end, HTTP connections at the other.

The client gets a descriptor like that of any connection, so that no pump knows of tunnels. No greenlet waits
here: all tunnels of a hub share an epoll set and a timer wheel.
"""

import time
from weakref import WeakKeyDictionary

import gevent
from gevent.hub import Hub

from drivers.carriers.http_line import Line
from drivers.carriers.polling import PollingTunnel
from drivers.endpoints import Endpoint
from reactor import sockets
from reactor.poller import WRITABLE, Poller
from reactor.wheel import Ticker, TimerWheel

_NEVER = float("inf")
_LONGEST_WAIT_S = 180.0


def start_connect(endpoint: Endpoint, source: str | None = None) -> int:
    """Descriptor of a connection under way to an endpoint, over what its carrier needs. Raises OSError."""
    new_tunnel = endpoint.carrier.new_tunnel
    if new_tunnel is None:
        return sockets.start_connect(endpoint.address, source)
    hub = gevent.get_hub()
    tunnels = _by_hub.get(hub)
    if tunnels is None:
        tunnels = _by_hub[hub] = Tunnels()
    return tunnels.open(new_tunnel(), endpoint.address, source)


_by_hub: "WeakKeyDictionary[Hub, Tunnels]" = WeakKeyDictionary()


class _End:
    """One descriptor of a passage: the near one to the client (`line` None), or a line to the server."""

    __slots__ = ("fd", "is_up", "line", "passage", "unsent")

    def __init__(self, passage: "_Passage", line: Line | None, fd: int) -> None:
        self.passage = passage
        self.line = line
        self.fd = fd
        self.is_up = line is None
        self.unsent = bytearray()


class _Passage:
    __slots__ = ("address", "armed_for", "far", "near", "source", "tunnel")

    def __init__(
        self, tunnel: PollingTunnel, near: int, address: tuple[str, int], source: str | None
    ) -> None:
        self.tunnel = tunnel
        self.address = address
        self.source = source
        self.near = _End(self, None, near)
        self.far: dict[Line, _End] = {}
        self.armed_for = _NEVER


class Tunnels:
    """Every tunnel of one hub. Without any, nothing of it runs."""

    def __init__(self) -> None:
        self._poller: Poller | None = None
        self._ticker: Ticker | None = None
        self._wheel: TimerWheel[_Passage] = TimerWheel(time.monotonic())
        self._ends: dict[int, _End] = {}
        self._to_dial: list[_End] = []

    def open(self, tunnel: PollingTunnel, address: tuple[str, int], source: str | None) -> int:
        """The client's end of a new tunnel to `address`, closed by the client. Raises OSError."""
        if self._poller is None or self._ticker is None:
            self._poller = Poller(self._ready)
            self._wheel = TimerWheel(time.monotonic())
            self._ticker = Ticker(self._wheel.tick_s, self._tick)
        client, near = sockets.pair()
        passage = _Passage(tunnel, near, address, source)
        self._add(passage.near)
        return client

    # -- events --

    def _ready(self, ready: list[tuple[int, int]]) -> None:
        now = time.monotonic()
        for fd, mask in ready:
            end = self._ends.get(fd)
            if end is not None:
                self._move(end, mask, now)
                self._serve(end.passage, now)
        self._finish(now)

    def _tick(self) -> None:
        now = time.monotonic()
        for passage in self._wheel.advance(now):
            # An entry that comes up before `armed_for` is the older of two.
            if passage.armed_for <= now:
                passage.armed_for = _NEVER
                self._serve(passage, now)
        self._finish(now)

    def _finish(self, now: float) -> None:
        self._dial_waiting(now)
        if not self._ends:
            self.close()

    def _move(self, end: _End, mask: int, now: float) -> None:
        line = end.line
        assert self._poller is not None
        try:
            if not end.is_up:
                code = sockets.connect_error(end.fd)
                if code:
                    raise OSError(code, sockets.reason(code))
                end.is_up = True
            if mask & WRITABLE:
                del end.unsent[: sockets.write(end.fd, end.unsent)]
                self._poller.watch(end.fd, write=bool(end.unsent))
            data = sockets.read(end.fd) if mask & ~WRITABLE else None
        except OSError as error:
            self._lose(end, error.strerror or str(error))
            return
        if data == b"":
            self._lose(end, "the server closed the connection in the middle")
        elif data and line is None:
            end.passage.tunnel.up(data)
        elif data and line is not None:
            end.passage.tunnel.heard(line, data, now)

    def _lose(self, end: _End, why: str) -> None:
        passage = end.passage
        if end.line is None:
            self._end(passage)
        else:
            del passage.far[end.line]
            self._close(end)
            passage.tunnel.line_ended(end.line, why)

    # -- what follows from them --

    def _serve(self, passage: _Passage, now: float) -> None:
        tunnel, near = passage.tunnel, passage.near
        if near.fd < 0:
            return
        if now >= tunnel.deadline:
            tunnel.tick(now)
        self._write(near, tunnel.take_down())
        if near.fd < 0:
            return
        if tunnel.is_over:
            if not near.unsent:
                self._end(passage)
            return
        tunnel.is_clogged = bool(near.unsent)
        for line in tunnel.lines:
            self._serve_line(passage, line, now)
        due = min(tunnel.deadline, now + _LONGEST_WAIT_S)
        if due < passage.armed_for:
            passage.armed_for = due
            self._wheel.arm(passage, due)

    def _serve_line(self, passage: _Passage, line: Line, now: float) -> None:
        end = passage.far.get(line)
        if end is not None and line.is_spent:
            self._lose(end, "")
            end = None
        data = line.take(now)
        if not data:
            return
        if end is None:
            # Not at once: it might get the number of a descriptor that was closed in this batch, and what
            # was reported of the old one would be taken for the new one's.
            end = passage.far[line] = _End(passage, line, -1)
            self._to_dial.append(end)
        self._write(end, data)

    def _dial_waiting(self, now: float) -> None:
        waiting, self._to_dial = self._to_dial, []
        for end in waiting:
            passage, line = end.passage, end.line
            if passage.near.fd < 0 or line is None:
                continue
            try:
                end.fd = sockets.start_connect(passage.address, passage.source)
            except OSError as error:
                del passage.far[line]
                passage.tunnel.line_ended(line, error.strerror or str(error))
                self._serve(passage, now)
            else:
                self._add(end)

    def _add(self, end: _End) -> None:
        self._ends[end.fd] = end
        assert self._poller is not None
        self._poller.add(end.fd, write=not end.is_up)

    def _write(self, end: _End, data: bytes) -> None:
        end.unsent += data
        if not end.unsent or not end.is_up:
            return
        try:
            del end.unsent[: sockets.write(end.fd, end.unsent)]
        except OSError as error:
            self._lose(end, error.strerror or str(error))
            return
        assert self._poller is not None
        self._poller.watch(end.fd, write=bool(end.unsent))

    def _end(self, passage: _Passage) -> None:
        for end in (passage.near, *passage.far.values()):
            self._close(end)
        passage.far.clear()

    def _close(self, end: _End) -> None:
        fd, end.fd = end.fd, -1
        if fd >= 0:
            assert self._poller is not None
            del self._ends[fd]
            self._poller.remove(fd)
            sockets.close(fd)

    def close(self) -> None:
        """End every tunnel; the next one starts everything again."""
        for end in list(self._ends.values()):
            self._close(end)
        if self._poller is not None and self._ticker is not None:
            self._ticker.stop()
            self._poller.close()
            self._poller = self._ticker = None

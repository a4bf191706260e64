"""One epoll set and one timer wheel for all clients of a process: no greenlet, no socket object for any."""

import time
from collections import deque
from collections.abc import Callable, Sequence

from drivers.client import NEVER, Client, State
from drivers.events import CloseReason
from reactor import sockets
from reactor.poller import Poller
from reactor.wheel import Ticker, TimerWheel

_UNCONNECTED = (State.STOPPED, State.WAITING)
_HANDSHAKES = (State.CONNECTING, State.LOGGING_IN)


class EpollPump:
    """Drives clients until `close`. Everything runs in the gevent hub of the thread that made it.

    `sources`: local addresses to come from, taken in turn by client index. `max_handshakes`: connections
    being made or logging in at a time. `connect_rate`: connections begun a second, None for no limit.
    """

    def __init__(
        self, *, sources: Sequence[str] = (), max_handshakes: int = 1000, connect_rate: float | None = None
    ) -> None:
        now = time.monotonic()
        self._sources = tuple(sources)
        self._max_handshakes = max_handshakes
        self._connect_rate = connect_rate
        self._allowance = 0.0
        self._by_fd: list[Client | None] = []
        self._unsent: dict[int, bytearray] = {}
        self._dialling: set[Client] = set()
        self._to_dial: deque[Client] = deque()
        self._wheel: TimerWheel[Client] = TimerWheel(now)
        self._poller = Poller(self._ready)
        self._ticked_at = now
        self._worst_lag_s = 0.0
        self._ticker = Ticker(self._wheel.tick_s, self._tick)

    def start(self, client: Client) -> None:
        """Let a client connect; also brings back one that left."""
        self._do(client, client.start)

    def leave(self, client: Client) -> None:
        """Let a client say goodbye and stay away."""
        self._do(client, client.leave)

    def cut(self, client: Client) -> None:
        """Reset its connection without a word, as a dying network does."""
        if client.link >= 0:
            fd = self._release(client)
            sockets.reset(fd)
            now = time.monotonic()
            if client.state is State.CONNECTING:
                client.connect_failed("cut", now)
            else:
                client.lost(CloseReason.RESET, "cut", now)
            self.serve(client, now)

    def take_worst_lag_s(self) -> float:
        """By how much the latest tick of the wheel was late, at worst, since this was asked last."""
        worst, self._worst_lag_s = self._worst_lag_s, 0.0
        return worst

    def close(self) -> None:
        """Close every connection without a farewell; clients are left as they are."""
        self._ticker.stop()
        for client in self._by_fd:
            if client is not None:
                sockets.close(self._release(client))
        self._poller.close()

    def serve(self, client: Client, now: float) -> None:
        """Do for a client what it asks for; to be called after anything was done to it from outside."""
        state, fd = client.state, client.link
        if fd >= 0:
            out = client.take()
            if out:
                self._write(client, fd, out, now)
                state, fd = client.state, client.link
        if state in _UNCONNECTED:
            if fd >= 0:
                sockets.close(self._release(client))
        elif fd == -1 and state is State.CONNECTING:
            self._to_dial.append(client)
            client.link = _QUEUED
            self._dial_queued(now)
        if client.deadline < client.armed_for:
            self._arm(client, now)

    def _arm(self, client: Client, now: float) -> None:
        # Never beyond the wheel's horizon, so that whatever comes up before `armed_for` is known to be stale.
        client.armed_for = min(client.deadline, now + _LONGEST_WAIT_S)
        self._wheel.arm(client, client.armed_for)

    def _do(self, client: Client, action: Callable[[float], None]) -> None:
        now = time.monotonic()
        action(now)
        self.serve(client, now)

    def _tick(self) -> None:
        now = time.monotonic()
        lag_s = now - self._ticked_at - self._wheel.tick_s
        self._ticked_at = now
        if lag_s > self._worst_lag_s:
            self._worst_lag_s = lag_s
        for client in self._wheel.advance(now):
            if client.armed_for > now:
                continue  # armed again meanwhile: this entry is the older of two
            client.armed_for = NEVER
            # Waiting for its turn to be dialled must not count against the connection's own time limit.
            if now >= client.deadline and client.link != _QUEUED:
                client.tick(now)
            elif client.link == _QUEUED:
                client.deadline = now + 1.0
            self.serve(client, now)
        if self._to_dial:
            self._dial_queued(now)
        if self._connect_rate is not None:
            self._allowance = min(
                self._allowance + self._connect_rate * self._wheel.tick_s, self._connect_rate
            )

    def _dial_queued(self, now: float) -> None:
        while self._to_dial and len(self._dialling) < self._max_handshakes:
            if self._connect_rate is not None:
                if self._allowance < 1.0:
                    return
                self._allowance -= 1.0
            client = self._to_dial.popleft()
            client.link = -1
            if client.state is State.CONNECTING:
                self._dial(client, now)

    def _dial(self, client: Client, now: float) -> None:
        sources = self._sources
        source = sources[client.index % len(sources)] if sources else None
        try:
            fd = sockets.start_connect(client.endpoint.address, source)
        except OSError as error:
            client.connect_failed(error.strerror or str(error), now)
        else:
            client.dialled(now)
            client.link = fd
            if fd >= len(self._by_fd):
                self._by_fd.extend([None] * (fd + 64 - len(self._by_fd)))
            self._by_fd[fd] = client
            self._dialling.add(client)
            self._poller.add(fd, write=True)
        if client.deadline < client.armed_for:
            self._arm(client, now)

    def _ready(self, ready: list[tuple[int, int]]) -> None:
        now = time.monotonic()
        by_fd = self._by_fd
        for fd, mask in ready:
            client = by_fd[fd]
            if client is None:
                continue  # closed by an earlier event of this batch
            if client.state is State.CONNECTING:
                self._connect_decided(client, fd, now)
            else:
                if mask & ~_WRITE_ONLY:
                    self._read(client, fd, now)
                if mask & _WRITE_ONLY and client.link == fd and fd in self._unsent:
                    self._write(client, fd, b"", now)
            self.serve(client, now)
            if client in self._dialling and client.state not in _HANDSHAKES:
                self._dialling.discard(client)
                self._dial_queued(now)

    def _connect_decided(self, client: Client, fd: int, now: float) -> None:
        code = sockets.connect_error(fd)
        if code:
            sockets.close(self._release(client))
            client.connect_failed(sockets.reason(code), now)
        else:
            self._poller.watch(fd)
            client.connected(now)

    def _read(self, client: Client, fd: int, now: float) -> None:
        try:
            data = sockets.read(fd)
        except OSError as error:
            client.lost(CloseReason.RESET, error.strerror or "", now)
            return
        if data:
            client.receive(data, now)
        elif data is not None:
            client.lost(CloseReason.EOF, "", now)

    def _write(self, client: Client, fd: int, data: bytes, now: float) -> None:
        unsent = self._unsent.get(fd)
        if unsent is not None:
            unsent += data
            data = bytes(unsent)
        try:
            sent = sockets.write(fd, data)
        except OSError as error:
            client.lost(CloseReason.RESET, error.strerror or "", now)
            return
        if sent < len(data):
            self._unsent[fd] = bytearray(memoryview(data)[sent:])
            if unsent is None:
                self._poller.watch(fd, write=True)
        elif unsent is not None:
            del self._unsent[fd]
            self._poller.watch(fd)

    def _release(self, client: Client) -> int:
        """Forget the client's descriptor, which the caller closes."""
        fd, client.link = client.link, -1
        self._by_fd[fd] = None
        self._unsent.pop(fd, None)
        self._dialling.discard(client)
        self._poller.remove(fd)
        return fd


_LONGEST_WAIT_S = 180.0
_QUEUED = -2
"""`Client.link` of a client that waits for its turn to be dialled."""
_WRITE_ONLY = 0x004

"""One epoll set and one timer wheel for all clients of a process: no greenlet, no socket object for any."""

import sys
import time
from collections.abc import Callable, Sequence

import gevent

from drivers.client import NEVER, Client, State
from drivers.events import CloseReason
from drivers.pumps.farewells import Farewells
from drivers.pumps.reading import hear, hear_last_words
from drivers.pumps.scouts import attend
from drivers.pumps.tunnels import start_connect
from drivers.pumps.turns import Turns
from reactor import sockets
from reactor.poller import WRITABLE, Poller
from reactor.wheel import Ticker, TimerWheel

# Where every heartbeat passes: an enumeration looks its members up at the price of a call.
_WAITING, _CONNECTING, _ONLINE = State.WAITING, State.CONNECTING, State.ONLINE


class EpollPump:
    """Drives clients until `close`. Everything runs in the gevent hub of the thread that made it.

    `sources`: local addresses to come from, taken in turn by client index. `max_handshakes`: connections
    being made or logging in at a time. `connect_rate`: connections begun a second, None for no limit.
    `pace_s`: how often to look at the sockets, 0 for at once (see `reactor.poller`).

    An observer that raises is reported by the hub; the other clients do not notice.
    """

    def __init__(
        self,
        *,
        sources: Sequence[str] = (),
        max_handshakes: int = 1000,
        connect_rate: float | None = None,
        pace_s: float = 0.0,
    ) -> None:
        now = time.monotonic()
        self._sources = tuple(sources)
        self._turns = Turns(max_handshakes, connect_rate, now)
        self._by_fd: list[Client | None] = []
        self._unsent: dict[int, bytearray] = {}
        # One wake-up sends what is due and reads what has come.
        self._wheel: TimerWheel[Client] = TimerWheel(now, tick_s=max(_TICK_S, pace_s))
        self._poller = Poller(self._ready, pace_s=pace_s)
        self._farewells = Farewells(self._poller)
        self._in_batch = False
        self._is_closed = False
        self._ticked_at = now
        self._worst_lag_s = 0.0
        self._is_late = False
        self._ticker = Ticker(self._wheel.tick_s, self._tick)

    # -- what the application does --

    def start(self, client: Client) -> None:
        """Let a client connect; also brings back one that left."""
        attend(client.ladder)
        self._do(client, client.start)

    def leave(self, client: Client) -> None:
        """Let a client say goodbye and stay away."""
        self._do(client, client.leave)

    def cut(self, client: Client) -> None:
        """Reset its connection without a word, as a dying network does."""
        if client.link >= 0:
            sockets.reset(self._release(client))
            now = time.monotonic()
            client.connect_failed("cut", now)
            client.lost(CloseReason.RESET, "cut", now)
            self.serve(client, now)

    def take_worst_lag_s(self) -> float:
        """By how much the latest tick of the wheel was late, at worst, since this was asked last."""
        worst, self._worst_lag_s = self._worst_lag_s, 0.0
        return worst

    def close(self) -> None:
        """Close every connection without a farewell; clients are left as they are. Twice is allowed."""
        if self._is_closed:
            return
        self._is_closed = True
        self._ticker.stop()
        self._turns.clear()
        self._farewells.close()
        for client in self._by_fd:
            if client is not None:
                sockets.close(self._release(client))
        self._poller.close()

    def serve(self, client: Client, now: float) -> None:
        """Do for a client what it asks for; to be called after anything was done to it from outside."""
        fd = client.link
        if fd >= 0:
            out = client.take()
            if out:
                if client.state <= _WAITING:
                    self._part(client, out, now)
                else:
                    self._write(client, fd, out, now)
            if client.state <= _WAITING:
                if client.link == fd:
                    sockets.close(self._release(client))
            elif self._turns.under_way and client.state is _ONLINE:
                self._turns.done(client)
        elif fd == -1 and client.state is State.CONNECTING and not self._is_closed:
            self._turns.queue(client)
            self._dial_queued(now)
        if client.deadline < client.armed_for:
            self._arm(client, now)

    def _do(self, client: Client, action: Callable[[float], None]) -> None:
        now = time.monotonic()
        action(now)
        self.serve(client, now)

    # -- time --

    def _arm(self, client: Client, now: float) -> None:
        # Never beyond the wheel's horizon, so that whatever comes up before `armed_for` is known to be stale.
        due, horizon = client.deadline, now + _LONGEST_WAIT_S
        client.armed_for = due = due if due < horizon else horizon
        self._wheel.arm(client, due)

    def _tick(self) -> None:
        now = time.monotonic()
        lag_s = now - self._ticked_at - self._wheel.tick_s
        self._ticked_at = now
        self._worst_lag_s = max(self._worst_lag_s, lag_s)
        after_stall = self._is_late = lag_s > _STALL_S
        due = [
            client
            for client in self._wheel.advance(now)
            # An entry that comes up before `armed_for` is the older of two.
            if client.armed_for <= now and self._come_up(client, now, after_stall)
        ]
        self._serve_all(due, now)
        self._farewells.expire(now)
        self._dial_queued(now)

    def _come_up(self, client: Client, now: float, after_stall: bool) -> bool:
        """True if the client is to be served."""
        client.armed_for = NEVER
        try:
            if now >= client.deadline:
                # What has come while nobody looked must not count as silence.
                if after_stall and client.link >= 0 and client.state >= State.LOGGING_IN:
                    hear(client, client.link, now)
                client.tick(now)
                return True
        except Exception:  # noqa: BLE001 - see _report
            self._report()
        if client.deadline < client.armed_for:
            self._arm(client, now)
        return False

    def _serve_all(self, clients: list[Client], now: float) -> None:
        # After all of them were thought about: writes that follow each other closely find the peer still
        # awake from the one before, and waking it is the dearest part of a write.
        for client in clients:
            try:
                self.serve(client, now)
            except Exception:  # noqa: BLE001 - see _report
                self._report()
                if client.deadline < client.armed_for:
                    self._arm(client, now)

    def _report(self) -> None:
        # An observer's mistake must be seen, and must not reach the hub as such: it would stop watching.
        gevent.get_hub().handle_error(self, *sys.exc_info())

    # -- connecting --

    def _dial_queued(self, now: float) -> None:
        # Not before the end of a batch: a new connection might get the number of one that was closed in it,
        # and what was reported for the old would be taken for the new.
        while self._turns and not self._in_batch:
            client = self._turns.next(now)
            if client is None:
                return
            try:
                self._dial(client, now)
            except Exception:  # noqa: BLE001 - see _report
                self._report()
            if self._is_late:
                return  # who is there already comes first: their heartbeats wait for this process

    def _dial(self, client: Client, now: float) -> None:
        sources = self._sources
        source = sources[client.index % len(sources)] if sources else None
        try:
            fd = start_connect(client.endpoint, source)
        except OSError as error:
            self._turns.done(client)
            client.connect_failed(error.strerror or str(error), now)
        else:
            client.dialled(now)
            client.link = fd
            if fd >= len(self._by_fd):
                self._by_fd.extend([None] * (fd + 64 - len(self._by_fd)))
            self._by_fd[fd] = client
            self._poller.add(fd, write=True)
        if client.deadline < client.armed_for:
            self._arm(client, now)

    def _connect_decided(self, client: Client, fd: int, now: float) -> None:
        code = sockets.connect_error(fd)
        if code:
            sockets.close(self._release(client))
            client.connect_failed(sockets.reason(code), now)
        else:
            self._poller.watch(fd)
            client.connected(now)

    # -- bytes --

    def _ready(self, ready: list[tuple[int, int]]) -> None:
        now = time.monotonic()
        by_fd = self._by_fd
        heard: list[Client] = []
        self._in_batch = True
        try:
            for fd, mask in ready:
                client = by_fd[fd]
                if client is None:
                    self._farewells.ready(fd)
                    continue
                try:
                    self._hear(client, fd, mask, now)
                    heard.append(client)
                except Exception:  # noqa: BLE001 - see _report
                    self._report()
            self._serve_all(heard, now)
        finally:
            self._in_batch = False
        self._dial_queued(now)

    def _hear(self, client: Client, fd: int, mask: int, now: float) -> None:
        if client.state is _CONNECTING:
            self._connect_decided(client, fd, now)
            return
        if mask & ~WRITABLE:
            hear(client, fd, now)
        if mask & WRITABLE and client.link == fd and fd in self._unsent:
            self._write_rest(client, fd, now)

    def _write(self, client: Client, fd: int, data: bytes, now: float) -> None:
        unsent = self._unsent.get(fd)
        if unsent is not None:
            unsent += data
            return
        try:
            sent = sockets.write(fd, data)
        except OSError as error:
            hear_last_words(client, fd, error, now)
            return
        if sent < len(data):
            self._unsent[fd] = bytearray(memoryview(data)[sent:])
            self._poller.watch(fd, write=True)

    def _write_rest(self, client: Client, fd: int, now: float) -> None:
        unsent = self._unsent[fd]
        try:
            del unsent[: sockets.write(fd, unsent)]
        except OSError as error:
            hear_last_words(client, fd, error, now)
            return
        if not unsent:
            del self._unsent[fd]
            self._poller.watch(fd)

    def _part(self, client: Client, farewell: bytes, now: float) -> None:
        unsent = self._unsent.get(client.link, b"")
        self._farewells.part(self._release(client), bytes(unsent) + farewell, now)

    def _release(self, client: Client) -> int:
        """Forget the client's descriptor, which the caller closes."""
        fd, client.link = client.link, -1
        self._by_fd[fd] = None
        self._unsent.pop(fd, None)
        self._turns.done(client)
        self._poller.remove(fd)
        return fd


_TICK_S = 0.05
_LONGEST_WAIT_S = 180.0
_STALL_S = 0.5

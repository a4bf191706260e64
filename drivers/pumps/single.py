"""One greenlet for one client: what stands behind a conformance case that reads like a script."""

import contextlib
import time
from typing import Any

import gevent
import gevent.event
import gevent.socket

from drivers.client import Client, State
from drivers.events import CloseReason
from drivers.pumps.lossy import Lose, LossyPath
from drivers.pumps.reading import hear, hear_last_words
from drivers.pumps.scouts import attend
from drivers.pumps.tunnels import start_connect
from protocol.messages import Message
from reactor import sockets

_READ, _WRITE = 1, 2
_UNCONNECTED = (State.STOPPED, State.WAITING)
_LONGEST_WAIT_S = 3600.0
_FAREWELL_S = 2.0


class SinglePump:
    """Drives one client until `close`. `lose` may be set at any time to lose whole frames on a plain path;
    over other carriers it is the client's endpoints that have to lose them, see `lossy.with_loss`. `source`:
    an address of this machine to come from.

    Call `wake` after anything was done to the client.
    """

    def __init__(self, client: Client, source: str | None = None) -> None:
        self.lose: Lose | None = None
        self._source = source
        self._client = client
        self._wake = gevent.event.Event()
        self._watcher: Any = None
        self._is_decided = False
        self._is_plain = True
        self._came = 0
        self._lost = 0
        self._unsent = b""
        self._up = LossyPath("up")
        self._down = LossyPath("down")
        self._farewells: list[gevent.Greenlet[..., None]] = []
        self._is_running = True
        attend(client.ladder)
        self._greenlet = gevent.spawn(self._run)

    def wake(self) -> None:
        """Look at the client as soon as the hub gets its turn."""
        self._wake.set()

    def cut(self) -> None:
        """Reset the connection without a word."""
        client = self._client
        if client.link >= 0:
            sockets.reset(self._release())
            now = time.monotonic()
            client.connect_failed("cut", now)
            client.lost(CloseReason.RESET, "cut", now)
            self.wake()

    def close(self) -> None:
        """The connection is closed, and nothing happens any more. Twice is allowed.

        There is no farewell but that of a client that has left; it is waited for, two seconds at most.
        """
        self._is_running = False
        self.wake()
        self._greenlet.join()
        if self._client.state is State.STOPPED:
            self._serve(time.monotonic())
        if self._client.link >= 0:
            sockets.close(self._release())
        gevent.joinall(self._farewells)

    def _run(self) -> None:
        client = self._client
        while self._is_running:
            # Reading comes first, so that what has come while nobody looked does not count as silence.
            self._look(time.monotonic())
            now = time.monotonic()
            if now >= client.deadline:
                client.tick(now)
            self._serve(now)
            self._wake.wait(max(0.0, min(client.deadline - time.monotonic(), _LONGEST_WAIT_S)))
            self._wake.clear()

    def _look(self, now: float) -> None:
        client, fd = self._client, self._client.link
        if fd < 0:
            return
        if client.state is not State.CONNECTING:
            self._hear(fd, now)
        elif self._is_decided:
            code = sockets.connect_error(fd)
            if code:
                sockets.close(self._release())
                client.connect_failed(sockets.reason(code), now)
            else:
                self._watch(_READ)
                client.connected(now)

    def _hear(self, fd: int, now: float) -> None:
        client = self._client
        heard_at = client._heard_at
        self._came, self._lost = 0, 0
        hear(client, fd, now, self._come_down)
        # Lost within a carrier, frames have reached the client as bytes; on a lossy path they would not have.
        if self._lost and self._lost == self._came:
            client._heard_at = heard_at

    def loses(self, direction: str, message: Message) -> bool:
        """What `lose` says of a frame, for endpoints that lose within their carrier."""
        is_lost = self.lose is not None and self.lose(direction, message)
        if direction == "down":
            self._came += 1
            self._lost += is_lost
        return is_lost

    def _serve(self, now: float) -> None:
        client = self._client
        if client.link >= 0:
            out = client.take()
            self._unsent += self._up.passed(out, self.lose) if self._is_plain else out
            if client.state in _UNCONNECTED:
                self._part(bool(out))
            elif self._unsent:
                self._write(client.link, now)
        # Not else: the write may have found the connection broken, and a client may be back at once.
        if client.link >= 0 and client.state in _UNCONNECTED:
            self._part(False)
        if client.link < 0 and client.state is State.CONNECTING:
            self._dial(now)

    def _dial(self, now: float) -> None:
        client = self._client
        try:
            client.link = start_connect(client.endpoint, self._source)
        except OSError as error:
            client.connect_failed(error.strerror or str(error), now)
            return
        client.dialled(now)
        self._is_decided = False
        self._is_plain = client.endpoint.is_plain
        self._unsent = b""
        self._up, self._down = LossyPath("up"), LossyPath("down")
        self._watch(_WRITE)

    def _write(self, fd: int, now: float) -> None:
        try:
            self._unsent = self._unsent[sockets.write(fd, self._unsent) :]
        except OSError as error:
            hear_last_words(self._client, fd, error, now, self._come_down)
            return
        self._watch(_READ | _WRITE if self._unsent else _READ)

    def _come_down(self, data: bytes) -> bytes:
        return self._down.passed(data, self.lose) if self._is_plain else data

    def _part(self, with_farewell: bool) -> None:
        unsent, fd = self._unsent, self._release()
        if with_farewell:
            self._farewells = [one for one in self._farewells if not one.dead]
            self._farewells.append(gevent.spawn(_say_goodbye, fd, unsent))
        else:
            sockets.close(fd)

    def _watch(self, events: int) -> None:
        if self._watcher is None or self._watcher.events != events:
            self._unwatch()
            self._watcher = gevent.get_hub().loop.io(self._client.link, events)
            self._watcher.start(self._on_io)

    def _on_io(self) -> None:
        self._is_decided = True
        self._wake.set()

    def _unwatch(self) -> None:
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
            self._watcher = None

    def _release(self) -> int:
        self._unwatch()
        self._unsent = b""
        fd, self._client.link = self._client.link, -1
        return fd


def _say_goodbye(fd: int, farewell: bytes) -> None:
    """Write what is left and wait until the peer has closed: closing with unread data would be a reset."""
    try:
        with contextlib.suppress(gevent.Timeout), gevent.Timeout(_FAREWELL_S):
            while farewell:
                gevent.socket.wait_write(fd)
                farewell = farewell[sockets.write(fd, farewell) :]
            while sockets.read(fd) != b"":
                gevent.socket.wait_read(fd)
    except OSError:
        return  # the peer is gone: there is nobody left to say goodbye to
    finally:
        sockets.close(fd)

"""The least that beats: one epoll set, a list of descriptors, no timer and no state a connection.

All beat at the same interval, one after the other, so the next one due is the next in the list. What falls
due within a tick is sent together, as from a timer wheel: waking up costs more than a heartbeat.
"""

import argparse
import gc
import json
import os
import select
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bench.opposite.counts import Counts
from bench.peer import ready
from protocol.frames import EMPTY_PING
from reactor import sockets

_BATCH = 1024
_CONNECTING = 64
"""At a time: less than the shortest backlog of a listener, which is 100."""


class Client:
    """Connects, says what `greeting` has for each connection (nothing if there is none) and beats when
    greeted, until standard input ends."""

    def __init__(
        self,
        port: int,
        connections: int,
        heartbeat_s: int,
        tick_s: float,
        beat: bytes,
        greetings: Sequence[bytes],
    ) -> None:
        self._address = ("127.0.0.1", port)
        self._wanted = connections
        self._heartbeat_s = heartbeat_s
        self._tick_s = tick_s
        self._beat = beat
        self._greetings = greetings
        self._epoll = select.epoll()
        self._begun = 0
        self._coming: dict[int, int] = {}
        self._fds: list[int] = []
        self._next = 0
        self._started_s = 0.0
        self._woken_s = 0.0
        self.counts = Counts(os.getpid())

    def run(self) -> None:
        self._epoll.register(0, select.EPOLLIN)
        self.counts.first_s = time.monotonic()
        self._connect()
        while True:
            for fd, mask in self._epoll.poll(self._patience_s(), _BATCH):
                if fd == 0:
                    if not os.read(0, 4096):
                        return
                    self.counts.tell()
                else:
                    self._ready(fd, mask)
            now = time.monotonic()
            if len(self._fds) == self._wanted and now >= self._woken_s + self._tick_s:
                self._woken_s = now
                self._beat_due(now)

    def _patience_s(self) -> float:
        if len(self._fds) < self._wanted:
            return -1
        return max(self._woken_s + self._tick_s - time.monotonic(), 0.0)

    def _connect(self) -> None:
        while self._begun < self._wanted and len(self._coming) < _CONNECTING:
            fd = sockets.start_connect(self._address)
            self._coming[fd] = self._begun
            self._epoll.register(fd, select.EPOLLOUT)
            self._begun += 1

    def _ready(self, fd: int, mask: int) -> None:
        number = self._coming.get(fd)
        if number is None:
            self._hear(fd)
        elif mask & select.EPOLLOUT:
            self._epoll.modify(fd, select.EPOLLIN)
            if self._greetings:
                sockets.write(fd, self._greetings[number])
            else:
                self._came_up(fd)
        elif self._heard(fd):
            self._came_up(fd)

    def _came_up(self, fd: int) -> None:
        del self._coming[fd]
        self._fds.append(fd)
        self._started_s = time.monotonic()
        self.counts.came_up(self._started_s)
        self._connect()

    def _hear(self, fd: int) -> None:
        if self._heard(fd):
            self.counts.beats += 1

    def _heard(self, fd: int) -> bool:
        try:
            data = sockets.read(fd)
        except ConnectionError:
            data = b""
        if data == b"":
            self.counts.up -= 1
            self.counts.dropped += 1
            self._epoll.unregister(fd)
        return bool(data)

    def _due_s(self) -> float:
        return self._started_s + (self._next + 1) * self._heartbeat_s / self._wanted

    def _beat_due(self, now: float) -> None:
        fds, beat = self._fds, self._beat
        while self._due_s() <= now:
            # What has ended is reported as readable, and counted there.
            with suppress(ConnectionError):
                sockets.write(fds[self._next % self._wanted], beat)
            self._next += 1


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.opposite.client")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--connections", type=int, required=True)
    parser.add_argument("--heartbeat", type=int, required=True)
    parser.add_argument("--tick-ms", type=int, default=50, metavar="N")
    parser.add_argument("--beat", type=bytes.fromhex, default=EMPTY_PING, metavar="HEX")
    parser.add_argument("--greetings", type=Path, help="JSON list, one in hexadecimal a connection")
    asked = parser.parse_args()
    written = json.loads(asked.greetings.read_text()) if asked.greetings else []
    greetings = [bytes.fromhex(each) for each in written]
    client = Client(
        asked.port, asked.connections, asked.heartbeat, asked.tick_ms / 1000, asked.beat, greetings
    )
    gc.freeze()
    ready()
    client.run()


if __name__ == "__main__":
    main()

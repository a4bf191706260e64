"""What an attacker has: addresses, two accounts, and connections whose ends are noticed.

Threads and plain sockets: an attacker is no part of what is measured, and must not be held up by it.
"""

import itertools
import select
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from protocol import frames
from protocol.limits import MAGIC
from protocol.messages import LoggedIn, Login, Message

T = TypeVar("T")
Address = tuple[str, int]

PATIENCE_S = 20.0
_LOOK_S = 0.05


def frame(kind: int, body: bytes, *, flags: int = 0, announced: int | None = None) -> bytes:
    """A frame as no client would build it: `announced` bytes instead of those that come."""
    size_bytes = len(body) if announced is None else announced
    return bytes((MAGIC, kind, flags, 0)) + size_bytes.to_bytes(4, "big") + body


class Line:
    """One connection. Writing to one that the server has ended does nothing."""

    def __init__(self, ground: "Ground", to: Address) -> None:
        self.opened_at = time.monotonic()
        self._ground = ground
        self.socket = socket.create_connection(to, timeout=PATIENCE_S)
        self._buffer = frames.FrameBuffer(compression=True)
        self.is_ended = False

    def send(self, data: bytes) -> bool:
        """False when the server takes no more."""
        try:
            self.socket.sendall(data)
        except OSError:
            return False
        self._ground.count(len(data))
        return True

    def say(self, *messages: Message) -> bool:
        return self.send(b"".join(map(frames.encode, messages)))

    def hear(self) -> Message | None:
        """The next message; None at the end, however it came."""
        while (message := self._buffer.next_message()) is None:
            data = self._receive()
            if not data:
                return None
            self._buffer.feed(data)
        return message

    def drain(self, until_bytes: int | None = None) -> int:
        """Take what comes, as many bytes or up to the end; how much it was."""
        heard = 0
        while (until_bytes is None or heard < until_bytes) and (data := self._receive()):
            heard += len(data)
        return heard

    def _receive(self) -> bytes:
        """Nothing at the end, or when nothing comes in time."""
        try:
            data = self.socket.recv(1 << 18)
        except TimeoutError:
            return b""
        except OSError:
            data = b""
        if not data:
            self._ground.ended(self)
        return data

    def hang_up(self) -> None:
        """The attacker ends it, if the server has not."""
        self._ground.forget(self)
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class Ground:
    """`tokens`: of the users `attacker` and `friend`, by name. `ended_s`: after how long the server ended
    connections."""

    def __init__(self, tcp: Address, http: Address, tokens: dict[str, str]) -> None:
        self.tcp, self.http = tcp, http
        self.tokens = tokens
        self.opened = 0
        self.sent_bytes = 0
        self.ended_s: list[float] = []
        self._lines: dict[int, Line] = {}
        self._all: list[Line] = []
        self._devices = itertools.count()
        self._lock = threading.RLock()
        self._ends = select.epoll()
        self._is_over = False
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def open(self, to: Address | None = None) -> Line:
        """A connection that has said nothing yet, to the chat port if not `to` another."""
        line = Line(self, to or self.tcp)
        with self._lock:
            self.opened += 1
            self._all.append(line)
            self._lines[line.socket.fileno()] = line
            self._ends.register(line.socket.fileno(), select.EPOLLRDHUP)
        return line

    def login(self, user: str = "attacker", *features: str) -> Line:
        """A connection of a device of its own that is logged in."""
        line = self.open()
        line.say(Login(self.tokens[user], f"d{next(self._devices)}", features=list(features)))
        while not isinstance(answer := line.hear(), LoggedIn):
            if answer is None:
                raise ConnectionError(f"the server does not let {user} in")
        return line

    def count(self, sent_bytes: int) -> None:
        with self._lock:
            self.sent_bytes += sent_bytes

    def side_by_side(self, act: Callable[[int], T], times: int, at_once: int = 16) -> list[T]:
        """`act(0)`, `act(1)` and so on, many at a time; what they returned. Raises what one of them did."""
        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(act, range(times)))

    def await_ends(self, timeout_s: float = PATIENCE_S) -> None:
        """Returns when the server has ended every connection, or after `timeout_s`."""
        until = time.monotonic() + timeout_s
        while self._lines and time.monotonic() < until:
            time.sleep(_LOOK_S)

    def close(self) -> None:
        """Nothing of the attacker is left."""
        self._is_over = True
        self._watcher.join()
        for line in self._all:
            line.hang_up()
        self._ends.close()

    def ended(self, line: Line) -> None:
        """The server has ended a connection, just now."""
        with self._lock:
            if self.forget(line):
                line.is_ended = True
                self.ended_s.append(time.monotonic() - line.opened_at)

    def forget(self, line: Line) -> bool:
        """Its end is not waited for any more; False if it was not before."""
        with self._lock:
            number = line.socket.fileno()
            if self._lines.get(number) is not line:
                return False
            del self._lines[number]
            self._ends.unregister(number)
            return True

    def _watch(self) -> None:
        while not self._is_over:
            for number, _ in self._ends.poll(_LOOK_S):
                with self._lock:
                    line = self._lines.get(number)
                    # The number may have become that of another connection since.
                    if line is not None and _is_ended(number):
                        self.ended(line)


def _is_ended(number: int) -> bool:
    look = select.poll()
    look.register(number, select.POLLRDHUP)
    return bool(look.poll(0))

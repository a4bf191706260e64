"""Connections whose client has left: they live until the farewell is out and the peer has closed.

Closing at once would lose what does not fit the socket's buffer, and the kernel answers unread data with a
reset, which may overtake the farewell.
"""

import time
from collections import deque

from reactor import sockets
from reactor.poller import Poller

_PATIENCE_S = 2.0


class Farewells:
    """Owns descriptors that nobody else wants; each is closed two seconds after it last took something."""

    __slots__ = ("_by_fd", "_oldest", "_poller")

    def __init__(self, poller: Poller) -> None:
        self._poller = poller
        self._by_fd: dict[int, _Parting] = {}
        self._oldest: deque[_Parting] = deque()

    def part(self, fd: int, farewell: bytes, now: float) -> None:
        """Take over a descriptor that is in no epoll set, and write the farewell."""
        parting = _Parting(fd, bytearray(farewell), now + _PATIENCE_S)
        self._by_fd[fd] = parting
        self._oldest.append(parting)
        self._poller.add(fd, write=True)

    def ready(self, fd: int) -> None:
        """The poller reported `fd`; one that is not ours is passed over."""
        parting = self._by_fd.get(fd)
        if parting is None:
            return
        try:
            if parting.unsent:
                del parting.unsent[: sockets.write(fd, parting.unsent)]
                parting.until = time.monotonic() + _PATIENCE_S
                if not parting.unsent:
                    self._poller.watch(fd)
            if sockets.read(fd) == b"":
                self._close(parting)
        except OSError:  # the peer is gone: there is nobody left to say goodbye to
            self._close(parting)

    def expire(self, now: float) -> None:
        """Close those whose peer does not."""
        while self._oldest and (self._oldest[0].is_closed or self._oldest[0].until <= now):
            self._close(self._oldest.popleft())

    def close(self) -> None:
        """Close all."""
        self.expire(float("inf"))

    def _close(self, parting: "_Parting") -> None:
        if not parting.is_closed:
            parting.is_closed = True
            del self._by_fd[parting.fd]
            self._poller.remove(parting.fd)
            sockets.close(parting.fd)


class _Parting:
    __slots__ = ("fd", "is_closed", "unsent", "until")

    def __init__(self, fd: int, unsent: bytearray, until: float) -> None:
        self.fd = fd
        self.unsent = unsent
        self.until = until
        self.is_closed = False

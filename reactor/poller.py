"""One epoll set for tens of thousands of sockets, watched by the gevent hub as a single descriptor."""

import select
from collections.abc import Callable
from typing import Any

import gevent
from gevent.monkey import get_original

from reactor.guarded import guarded

READABLE = select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR | select.EPOLLRDHUP
WRITABLE = select.EPOLLOUT

_epoll: "type[select.epoll]" = get_original("select", "epoll")  # Locust has gevent take it away


class Poller:
    """Calls `handle(ready)` in the hub with batches of (fd, epoll mask), level-triggered.

    `handle` must not block. At most `batch` sockets are handed over at a time, so that greenlets and other
    pollers get their turn under load; whatever stays ready is reported again.

    `pace_s`: 0 to look as soon as anything is ready, else how often to look. Where many processes share a
    core and each socket is idle nearly always, a look then serves many sockets instead of one, and nobody is
    woken up by each of them; what comes waits for up to that long.
    """

    __slots__ = ("_batch", "_epoll", "_handle", "_watcher")

    def __init__(
        self, handle: Callable[[list[tuple[int, int]]], None], *, batch: int = 1024, pace_s: float = 0.0
    ) -> None:
        self._handle = handle
        self._batch = batch
        self._epoll = _epoll()
        loop = gevent.get_hub().loop
        self._watcher: Any = loop.timer(pace_s, pace_s) if pace_s else loop.io(self._epoll.fileno(), 1)
        self._watcher.start(self._look if pace_s else self._ready)

    def add(self, fd: int, *, write: bool = False, read: bool = True) -> None:
        """Watch `fd`; hang-ups are always reported."""
        self._epoll.register(fd, _mask(read, write))

    def watch(self, fd: int, *, read: bool = True, write: bool = False) -> None:
        """Change what `fd` is watched for. `read=False` is how back pressure is put on a peer."""
        self._epoll.modify(fd, _mask(read, write))

    def remove(self, fd: int) -> None:
        """Stop watching; call before the descriptor is closed."""
        self._epoll.unregister(fd)

    def close(self) -> None:
        """Free the epoll set; the sockets stay the caller's. Closing twice is allowed."""
        self._watcher.stop()
        if not self._epoll.closed:
            self._watcher.close()
            self._epoll.close()

    def _ready(self) -> int:
        ready = self._epoll.poll(0, self._batch)
        if ready:
            guarded(self._handle, ready)
        return len(ready)

    def _look(self) -> None:
        # A full batch means that there is more, and the next look is far away.
        if not self._epoll.closed and self._ready() == self._batch:
            gevent.get_hub().loop.run_callback(self._look)


def _mask(read: bool, write: bool) -> int:
    return (select.EPOLLIN | select.EPOLLRDHUP if read else 0) | (select.EPOLLOUT if write else 0)

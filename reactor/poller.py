"""One epoll set for tens of thousands of sockets, watched by the gevent hub as a single descriptor."""

import select
from collections.abc import Callable

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
    """

    __slots__ = ("_batch", "_epoll", "_handle", "_watcher")

    def __init__(self, handle: Callable[[list[tuple[int, int]]], None], *, batch: int = 1024) -> None:
        self._handle = handle
        self._batch = batch
        self._epoll = _epoll()
        self._watcher = gevent.get_hub().loop.io(self._epoll.fileno(), 1)
        self._watcher.start(self._ready)

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

    def _ready(self) -> None:
        ready = self._epoll.poll(0, self._batch)
        if ready:
            guarded(self._handle, ready)


def _mask(read: bool, write: bool) -> int:
    return (select.EPOLLIN | select.EPOLLRDHUP if read else 0) | (select.EPOLLOUT if write else 0)

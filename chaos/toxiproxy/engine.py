"""What all proxies of one server share: one epoll set, one queue of alarms, and where chance comes from."""

from collections.abc import Callable

from gevent.monkey import get_original

from reactor import sockets
from reactor.alarms import Alarms
from reactor.poller import Poller

# Under Locust os.close is gevent's, which closes only when something else wakes the hub the next time.
_close_now: Callable[[int], None] = get_original("os", "close")


class Engine:
    """Descriptors and who handles their readiness. Lives in the hub of the thread that made it.

    `keeps_sources`: upstreams are dialled from the address that the client has, which is one of this machine.
    """

    __slots__ = ("_discarded", "_handlers", "_in_batch", "_poller", "alarms", "keeps_sources", "seed")

    def __init__(self, seed: int, *, keeps_sources: bool = False) -> None:
        self.seed = seed
        self.keeps_sources = keeps_sources
        self.alarms = Alarms()
        self._poller = Poller(self._handle)
        self._handlers: dict[int, Callable[[int], None]] = {}
        self._discarded: list[tuple[int, bool]] = []
        self._in_batch = False

    def add(self, fd: int, handler: Callable[[int], None], *, read: bool = True, write: bool = False) -> None:
        """`handler(mask)` is called whenever `fd` is ready."""
        self._handlers[fd] = handler
        self._poller.add(fd, read=read, write=write)

    def watch(self, fd: int, *, read: bool, write: bool) -> None:
        """Change what `fd` is watched for."""
        self._poller.watch(fd, read=read, write=write)

    def ignore(self, fd: int) -> None:
        """Not even hang-ups are reported any more; `add` brings it back."""
        if self._handlers.pop(fd, None) is not None:
            self._poller.remove(fd)

    def discard(self, fd: int, *, reset: bool = False) -> None:
        """Forget and close `fd`, with RST if `reset`."""
        self.ignore(fd)
        if self._in_batch:
            # The number must not be given out again while events for the old owner are still in hand.
            self._discarded.append((fd, reset))
        else:
            _close(fd, reset)

    def close(self) -> None:
        """After everything was discarded."""
        self._poller.close()
        self.alarms.close()

    def _handle(self, ready: list[tuple[int, int]]) -> None:
        self._in_batch = True
        try:
            for fd, mask in ready:
                handler = self._handlers.get(fd)
                if handler is not None:
                    handler(mask)
        finally:
            self._in_batch = False
            for fd, reset in self._discarded:
                _close(fd, reset)
            self._discarded.clear()


def _close(fd: int, reset: bool) -> None:
    if reset:
        sockets.reset(fd)
    else:
        _close_now(fd)

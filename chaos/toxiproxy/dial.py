"""The way to an upstream: resolve if need be, then connect without anybody waiting."""

from collections.abc import Callable

import gevent

from chaos.toxiproxy import addresses
from chaos.toxiproxy.engine import Engine
from reactor import sockets


class Dial:
    """Calls `done(self, fd)` once: with a connected descriptor, or with None when no address answered.

    Ends with the operating system's time limit for connects; `cancel` ends it silently.
    """

    __slots__ = ("_addresses", "_done", "_engine", "_fd", "_greenlet", "_source", "client", "number")

    def __init__(
        self, engine: Engine, number: int, client: int, done: Callable[["Dial", int | None], None]
    ) -> None:
        self.number = number
        self.client = client
        self._engine = engine
        self._done = done
        self._fd: int | None = None
        self._source: str | None = None
        self._addresses: list[tuple[str, int]] = []
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def start(self, upstream: str, source: str | None = None) -> None:
        """`done` may be called before this returns. `source`: the address to come from."""
        self._source = source
        try:
            host, port = addresses.split(upstream)
        except addresses.AddressError:
            self._next()
            return
        # Names are resolved in a greenlet, since that waits; numbers do not need one.
        if not host or addresses.is_numeric(host):
            self._addresses = [(host or "127.0.0.1", port)]
            self._next()
        else:
            self._greenlet = gevent.spawn(self._resolve, upstream)

    def cancel(self) -> None:
        """Nothing more happens; the client's descriptor stays the caller's."""
        if self._greenlet is not None:
            self._greenlet.kill(block=False)
        if self._fd is not None:
            self._engine.discard(self._fd)
        self._fd = None
        self._done = _nobody

    def _resolve(self, upstream: str) -> None:
        try:
            self._addresses = addresses.resolve_all(upstream)
        except addresses.AddressError:
            self._addresses = []
        self._greenlet = None
        self._next()

    def _next(self) -> None:
        while self._addresses:
            try:
                self._fd = sockets.start_connect(self._addresses.pop(0), self._source)
            except OSError:
                continue
            self._engine.add(self._fd, self._decided, read=False, write=True)
            return
        self._done(self, None)

    def _decided(self, mask: int) -> None:
        fd, self._fd = self._fd, None
        if fd is None:
            return
        if sockets.connect_error(fd):
            self._engine.discard(fd)
            self._next()
        else:
            self._engine.ignore(fd)
            self._done(self, fd)


def _nobody(dial: Dial, fd: int | None) -> None:
    """Whoever asked is gone."""

"""One proxy: where it listens, where it leads, its toxics, and its connections."""

import functools
import socket
import time
from collections import Counter
from typing import Any

from chaos.toxiproxy import addresses
from chaos.toxiproxy.connection import Connection
from chaos.toxiproxy.dial import Dial
from chaos.toxiproxy.engine import Engine
from chaos.toxiproxy.toxic import Toxic
from reactor import sockets

ACCEPT_PAUSE_S = 0.1


class Proxy:
    """`listen` is as the client wrote it until the proxy was started once, then the address it really has.

    `received_bytes` and `sent_bytes` count, by direction, the links that have ended.
    """

    def __init__(self, engine: Engine, name: str, listen: str, upstream: str) -> None:
        self.name = name
        self.listen = listen
        self.upstream = upstream
        self.enabled = False
        self.toxics: list[Toxic] = []
        self.received_bytes: Counter[str] = Counter()
        self.sent_bytes: Counter[str] = Counter()
        self._engine = engine
        self._listener: socket.socket | None = None
        self._dials: set[Dial] = set()
        self._connections: set[Connection] = set()
        self._accepted = 0

    def start(self, address: tuple[str, int]) -> None:
        """Listens there. Raises AddressError, and is unchanged then."""
        if self.enabled:
            return
        self._listener = addresses.listen(address)
        self.listen = addresses.join(*self._listener.getsockname()[:2])
        self.enabled = True
        self._engine.add(self._listener.fileno(), self._accept)

    def stop(self) -> None:
        """New connects are refused and all connections are closed."""
        self.enabled = False
        if self._listener is not None:
            self._engine.discard(self._listener.detach())
            self._listener = None
        for dial in list(self._dials):
            dial.cancel()
            self._engine.discard(dial.client)
        self._dials.clear()
        for connection in list(self._connections):
            connection.close()

    def toxic(self, name: str) -> Toxic | None:
        """None when there is none of that name."""
        return next((toxic for toxic in self.toxics if toxic.name == name), None)

    def add_toxic(self, toxic: Toxic) -> None:
        """It is the last of its direction, and acts on all connections that it means."""
        self.toxics.append(toxic)
        self._let_expire(toxic)
        for connection in list(self._connections):
            link = connection.link(toxic.direction)
            link.add_toxic(toxic)
            link.settle()

    def update_toxic(self, toxic: Toxic, toxicity: float, attributes: Any) -> None:
        """All connections go by the new values."""
        toxic.toxicity, toxic.attributes = toxicity, attributes
        toxic.updates += 1
        self._let_expire(toxic)
        for connection in list(self._connections):
            link = connection.link(toxic.direction)
            link.update_toxic(toxic)
            link.settle()

    def remove_toxic(self, toxic: Toxic) -> None:
        """What it held back is on its way."""
        self.toxics.remove(toxic)
        for connection in list(self._connections):
            link = connection.link(toxic.direction)
            link.remove_toxic(toxic)
            link.settle()

    def ordered_toxics(self) -> list[Toxic]:
        """As listed by the API: upstream first."""
        return sorted(self.toxics, key=lambda toxic: toxic.direction != "upstream")

    def as_json(self) -> dict[str, Any]:
        """In the order of the original, with the field that it leaks."""
        return {
            "name": self.name,
            "listen": self.listen,
            "upstream": self.upstream,
            "enabled": self.enabled,
            "Logger": {},
            "toxics": [toxic.as_json() for toxic in self.ordered_toxics()],
        }

    def _let_expire(self, toxic: Toxic) -> None:
        toxic.expires_at = time.monotonic() + toxic.duration / 1000 if toxic.duration else None
        if toxic.expires_at is not None:
            self._engine.alarms.at(toxic.expires_at, functools.partial(self._expire, toxic))

    def _expire(self, toxic: Toxic) -> None:
        # It may be gone already, and its time may have been put off.
        due = toxic.expires_at
        if due is not None and due <= time.monotonic() and any(toxic is each for each in self.toxics):
            self.remove_toxic(toxic)

    def _accept(self, mask: int) -> None:
        if self._listener is None:
            return
        try:
            clients = sockets.accept_batch(self._listener)
        except OSError:
            # No descriptors left: whoever waits stays in the queue until there are.
            self._engine.ignore(self._listener.fileno())
            again = functools.partial(self._accept_again, self._listener)
            self._engine.alarms.at(time.monotonic() + ACCEPT_PAUSE_S, again)
            return
        for client in clients:
            dial = Dial(self._engine, self._accepted, client, self._dialled)
            self._accepted += 1
            self._dials.add(dial)
            dial.start(self.upstream, self._source(client))

    def _source(self, client: int) -> str | None:
        """The address to dial from; None for any, as for a client that came from where nothing leads out."""
        source = addresses.peer(client) if self._engine.keeps_sources else None
        return None if source is None or source.startswith("127.") else source

    def _accept_again(self, listener: socket.socket) -> None:
        if self._listener is listener:
            self._engine.add(listener.fileno(), self._accept)

    def _dialled(self, dial: Dial, server: int | None) -> None:
        self._dials.discard(dial)
        if server is None:
            self._engine.discard(dial.client)
            return
        key = f"{self.name}/{dial.number}"
        connection = Connection(self._engine, key, dial.client, server, self._closed)
        self._connections.add(connection)
        connection.start(self.toxics)

    def _closed(self, connection: Connection) -> None:
        self._connections.discard(connection)
        for link in (connection.upstream, connection.downstream):
            self.received_bytes[link.direction] += link.received_bytes
            if not link.failed:
                self.sent_bytes[link.direction] += link.sent_bytes

"""A proxied connection: two descriptors and the two links between them. Closing one direction closes both."""

from collections.abc import Callable

from chaos.toxiproxy import addresses
from chaos.toxiproxy.engine import Engine
from chaos.toxiproxy.link import Link
from chaos.toxiproxy.toxic import Toxic


class Connection:
    """From the moment that the upstream accepted; `on_close` is called once, after both sockets were closed.

    `key` names it for seeded chance: proxy and number of the connection.
    """

    __slots__ = ("_client", "_on_close", "closed", "downstream", "engine", "key", "upstream")

    def __init__(
        self, engine: Engine, key: str, client: int, server: int, on_close: Callable[["Connection"], None]
    ) -> None:
        self.engine = engine
        self.key = key
        self.closed = False
        self._client: str | None = None
        self._on_close = on_close
        self.upstream = Link(self, "upstream", client)
        self.downstream = Link(self, "downstream", server)
        self.upstream.twin, self.downstream.twin = self.downstream, self.upstream

    def link(self, direction: str) -> Link:
        """The link "upstream" (client to server) or "downstream"."""
        return self.upstream if direction == "upstream" else self.downstream

    @property
    def client(self) -> str | None:
        """The client's address, None where it cannot be told. Asked for only when a toxic wants to know."""
        if self._client is None:
            self._client = addresses.peer(self.upstream.source)
        return self._client

    def start(self, toxics: list[Toxic]) -> None:
        """Bytes flow, through `toxics`."""
        for toxic in toxics:
            self.link(toxic.direction).add_toxic(toxic)
        self.upstream.settle()
        self.downstream.settle()

    def close(self, *, reset: bool = False) -> None:
        """Both sockets are closed, with RST if `reset`; what was not sent is dropped."""
        if self.closed:
            return
        self.closed = True
        self.engine.discard(self.upstream.source, reset=reset)
        self.engine.discard(self.downstream.source, reset=reset)
        self._on_close(self)

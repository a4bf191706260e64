"""Networks of our own, with sockets on both sides; without the means for one the tests are skipped."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from chaos.errors import PacketsError
from chaos.packets.network import SERVER_ADDRESS, Network

PORT = 14000
BURST = 500
PATIENCE_S = 60.0


class Ends:
    """Sockets on both sides of a network, closed at the end."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._open = ExitStack()

    def udp(self) -> tuple[socket.socket, socket.socket]:
        """From the client's side, already connected, and on the server's, with room for all that is sent."""
        with self.network.server.entered():
            server = self._open.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        server.setsockopt(socket.SOL_SOCKET, 33, 1 << 29)  # SO_RCVBUFFORCE
        server.bind((SERVER_ADDRESS, 0))
        server.settimeout(PATIENCE_S)
        with self.network.client.entered():
            client = self._open.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        client.connect(server.getsockname())
        return client, server

    def listen(self, port: int = PORT) -> socket.socket:
        with self.network.server.entered():
            listener = self._open.enter_context(socket.socket())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((SERVER_ADDRESS, port))
        listener.listen()
        listener.settimeout(PATIENCE_S)
        return listener

    def dial(self, port: int = PORT) -> socket.socket:
        """Not connected yet."""
        with self.network.client.entered():
            client = self._open.enter_context(socket.socket())
        client.settimeout(PATIENCE_S)
        return client

    def tcp(self, listener: socket.socket | None = None) -> tuple[socket.socket, socket.socket]:
        """A connection: the client's end and the server's."""
        listener = listener or self.listen()
        client = self.dial()
        client.connect(listener.getsockname())
        server = self._open.enter_context(listener.accept()[0])
        server.settimeout(PATIENCE_S)
        return client, server

    def close(self) -> None:
        self._open.close()


Make = Callable[..., Network]


@pytest.fixture
def make() -> Iterator[Make]:
    """`make(kind, …)`: a Network that is removed at the end."""
    with ExitStack() as stack:

        def one(kind: str, **more: object) -> Network:
            try:
                return stack.enter_context(Network(kind, **more))  # type: ignore[arg-type]
            except PacketsError as error:
                pytest.skip(f"needs a network of its own: {error}")

        yield one


@pytest.fixture
def ends(make: Make) -> Iterator[Callable[..., Ends]]:
    """`ends(kind, …)`: such a network with sockets."""
    with ExitStack() as stack:

        def one(kind: str, **more: object) -> Ends:
            made = Ends(make(kind, **more))
            stack.callback(made.close)
            return made

        yield one


def flood(ends: Ends, count: int, size: int = 32) -> list[int]:
    """The numbers of those that came, in their order, of `count` packets that were sent upstream.

    They go in bursts that every device has room for.
    """
    client, server = ends.udp()
    came: list[int] = []
    for start in range(0, count, BURST):
        for number in range(start, min(start + BURST, count)):
            client.send(number.to_bytes(4, "big").ljust(size, b"."))
        if ends.network.wire is not None:
            # Its answer comes in its turn, after what it had to carry before.
            ends.network.wire.counts()
        # Waiting lets the kernel catch up, which keeps no more than a burst or two for later.
        _drain(server, came, quiet_s=0.002)
    _drain(server, came, quiet_s=0.25)
    return came


def _drain(server: socket.socket, came: list[int], *, quiet_s: float) -> None:
    """What there is, until nothing more has come for a while."""
    server.settimeout(quiet_s)
    try:
        while True:
            came.append(int.from_bytes(server.recv(2048)[:4], "big"))
    except TimeoutError:
        return

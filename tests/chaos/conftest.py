"""A Toxiproxy of our own in a process of its own, and sockets on both sides of its proxies."""

import itertools
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from chaos.control import ToxiproxyControl
from tests.chaos.api_client import PATIENCE_S, Http

_RUN = "from chaos.toxiproxy.server import serve; serve('127.0.0.1', 0, None, 7, True, True)"
_numbers = itertools.count()


class Line:
    """A client and a server with a proxy of its own between them. `connect` gives both ends."""

    def __init__(self, control: ToxiproxyControl) -> None:
        self.control = control
        self.proxy = f"proxy{next(_numbers)}"
        self._upstream = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._upstream.settimeout(PATIENCE_S)
        self._open: list[socket.socket] = [self._upstream]
        self.recreate(first=True)

    def recreate(self, *, first: bool = False) -> None:
        """The proxy anew: as if the server had been started again."""
        if not first:
            self.control.delete_proxy(self.proxy)
        upstream = f"127.0.0.1:{self._upstream.getsockname()[1]}"
        self.listen = self.control.create_proxy(self.proxy, "127.0.0.1:0", upstream)
        host, port = self.listen.split(":")
        self.address = (host, int(port))

    def connect(self, source: str = "127.0.0.1") -> tuple[socket.socket, socket.socket]:
        client = socket.create_connection(self.address, timeout=PATIENCE_S, source_address=(source, 0))
        self._open.append(client)
        return client, self.accept()

    def accept(self) -> socket.socket:
        """The server's end of the next connection, whoever made it."""
        server, _ = self._upstream.accept()
        server.settimeout(PATIENCE_S)
        self._open.append(server)
        return server

    def add(self, type: str, stream: str = "upstream", toxicity: float = 1.0, **attributes: object) -> str:
        return self.control.add_toxic(
            self.proxy, type, stream=stream, toxicity=toxicity, attributes=attributes
        )

    def remove(self, name: str) -> None:
        self.control.remove_toxic(self.proxy, name)

    def close(self) -> None:
        for each in self._open:
            each.close()
        self.control.delete_proxy(self.proxy)


def receive(end: socket.socket, size: int) -> bytes:
    """Exactly `size` bytes, or fewer where the stream ends."""
    data = bytearray()
    while len(data) < size:
        more = end.recv(min(size - len(data), 65536))
        if not more:
            break
        data += more
    return bytes(data)


def receive_all(end: socket.socket) -> bytes:
    return receive(end, 2**62)


@pytest.fixture(scope="session")
def toxiproxy_url() -> Iterator[str]:
    process = subprocess.Popen([sys.executable, "-c", _RUN], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        assert process.wait(PATIENCE_S) == 0, "SIGTERM is an orderly end"


@pytest.fixture
def control(toxiproxy_url: str) -> ToxiproxyControl:
    return ToxiproxyControl(toxiproxy_url, limit_s=PATIENCE_S)


@pytest.fixture
def line(control: ToxiproxyControl) -> Iterator[Line]:
    made = Line(control)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def api(toxiproxy_url: str) -> Iterator[Http]:
    http_ = Http(toxiproxy_url)
    yield http_
    for name in http_("GET", "/proxies").json():
        http_("DELETE", f"/proxies/{quote(name)}")


@pytest.fixture
def proxy(api: Http) -> dict[str, Any]:
    """A proxy named p with a latency toxic named slow."""
    made = api("POST", "/proxies", {"name": "p", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:1"})
    assert made.status == 201
    added = api(
        "POST", "/proxies/p/toxics", {"name": "slow", "type": "latency", "attributes": {"latency": 5}}
    )
    assert added.status == 200
    shown: dict[str, Any] = made.json()
    return shown


@pytest.fixture
def taken() -> Iterator[int]:
    """A port in use."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]

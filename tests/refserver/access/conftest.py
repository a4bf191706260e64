"""A node on a free port, a business behind it that the test controls, and clients over real sockets."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import pytest

from reactor import sockets
from refserver.access.http.server import Accounts, HttpNode
from refserver.access.node import AccessNode
from refserver.tokens import TokenSigner

sys.path.insert(0, str(Path(__file__).parent))

from chat_client import ChatClient
from fake_business import FakeBusiness
from http_client import HttpClient

SECRET = b"a secret of the tests"


@pytest.fixture
def business() -> FakeBusiness:
    return FakeBusiness()


@pytest.fixture
def signer() -> TokenSigner:
    return TokenSigner(SECRET)


@pytest.fixture
def node(business: FakeBusiness, signer: TokenSigner) -> Iterator[AccessNode]:
    node = AccessNode("n1", business, signer)
    yield node
    node.close()


@pytest.fixture
def port(node: AccessNode) -> int:
    listener = sockets.listen("127.0.0.1", 0)
    port: int = listener.getsockname()[1]
    node.lines.listen(listener)
    return port


@pytest.fixture
def connect(port: int, signer: TokenSigner) -> Iterator[Callable[..., ChatClient]]:
    """`connect()` opens a connection; `connect("u1", device="d1", …)` logs it in as well."""
    clients: list[ChatClient] = []

    def open_one(user: str | None = None, **login: object) -> ChatClient:
        client = ChatClient(("127.0.0.1", port))
        clients.append(client)
        if user is not None:
            client.login(signer.issue(user, 60), **login)
        return client

    yield open_one
    for client in clients:
        client.close()


@pytest.fixture
def http_node(business: FakeBusiness, signer: TokenSigner) -> Iterator[HttpNode]:
    def check(user: str, password: str) -> bool:
        gevent.sleep(0)
        return (user, password) == ("u1", "right")

    node = HttpNode("http", business, Accounts(signer, check), lambda: [("tcp://127.0.0.1:1", 7)])
    yield node
    node.stop()


@pytest.fixture
def new_http(http_node: HttpNode, signer: TokenSigner) -> Iterator[Callable[[], HttpClient]]:
    """`new_http()` opens another connection, with a token of u1."""
    listener = sockets.listen("127.0.0.1", 0)
    port: int = listener.getsockname()[1]
    http_node.listen(listener)
    clients: list[HttpClient] = []

    def open_one() -> HttpClient:
        clients.append(HttpClient(port, signer.issue("u1", 60)))
        return clients[-1]

    yield open_one
    for client in clients:
        client.close()


@pytest.fixture
def http(new_http: Callable[[], HttpClient]) -> HttpClient:
    return new_http()


@pytest.fixture
def second_http(new_http: Callable[[], HttpClient]) -> HttpClient:
    return new_http()

"""A node on a free port, a business behind it that the test controls, and clients over real sockets."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import pytest

from reactor import sockets
from refserver.access.carriers.kinds import carrying
from refserver.access.carriers.tls import server_context
from refserver.access.http.server import Accounts, HttpNode
from refserver.access.node import AccessNode
from refserver.tokens import TokenSigner

sys.path.insert(0, str(Path(__file__).parent))

from chat_client import ChatClient
from encrypted import Pem, client_context
from fake_business import FakeBusiness
from http_client import HttpClient

SECRET = b"a secret of the tests"


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Pem:
    """A certificate for 127.0.0.1."""
    return Pem.issue(tmp_path_factory.mktemp("pem"))


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


@pytest.fixture(params=["http", "https"])
def new_http(
    request: pytest.FixtureRequest, http_node: HttpNode, signer: TokenSigner, pem: Pem
) -> Iterator[Callable[[], HttpClient]]:
    """`new_http()` opens another connection, with a token of u1. Whatever holds over HTTP does over HTTPS."""
    listener = sockets.listen("127.0.0.1", 0)
    port: int = listener.getsockname()[1]
    is_secure = request.param == "https"
    http_node.listen(listener, carrying(server_context(pem.chain, pem.key))["tls"] if is_secure else None)
    clients: list[HttpClient] = []

    def open_one() -> HttpClient:
        context = client_context(pem) if is_secure else None
        clients.append(HttpClient(port, signer.issue("u1", 60), context))
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

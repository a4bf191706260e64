"""A node on a free port, a business behind it that the test controls, and clients over real sockets."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reactor import sockets
from refserver.access.node import AccessNode
from refserver.tokens import TokenSigner

sys.path.insert(0, str(Path(__file__).parent))

from chat_client import ChatClient
from fake_business import FakeBusiness

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

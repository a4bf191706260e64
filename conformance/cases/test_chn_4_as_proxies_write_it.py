"""CHN.4: requests as proxies pass them on, which is not as clients write them."""

import base64
from collections.abc import Callable

import pytest

from conformance.accounts import Block, User
from conformance.bare_http import BareHttp
from conformance.clients import MakePhone
from conformance.phone import fresh_cid
from conformance.target import Target
from conformance.verdicts import not_offered

pytestmark = [
    pytest.mark.clause("CHN.4"),
    pytest.mark.once("requests are what is looked at, over plain HTTP"),
    pytest.mark.calm("it writes requests as they are between proxy and server, where no plan reaches"),
]


def post(host: str, user: User, content: bytes, *, line: str = "/v1/messages", fields: str = "") -> str:
    """The head of a request that posts a message."""
    return (
        f"POST {line} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {user.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n{fields}\r\n"
    )


def with_names(write: Callable[[str], str]) -> Callable[[str, User, bytes], list[bytes]]:
    """The same with the names of its fields as `write` makes them."""

    def written(host: str, user: User, content: bytes) -> list[bytes]:
        line, *fields = post(host, user, content).split("\r\n")
        pairs = (field.partition(":") for field in fields)
        renamed = [write(name) + colon + value for name, colon, value in pairs]
        return ["\r\n".join([line, *renamed]).encode() + content]

    return written


def absolute(host: str, user: User, content: bytes) -> list[bytes]:
    return [post(host, user, content, line=f"http://{host}/v1/messages").encode() + content]


def marked(host: str, user: User, content: bytes) -> list[bytes]:
    fields = (
        "Via: 1.1 proxy\r\nX-Forwarded-For: 10.0.0.1, 10.0.0.2\r\nCookie: a=b\r\nConnection: keep-alive\r\n"
    )
    return [post(host, user, content, fields=fields).encode() + content]


def in_pieces(host: str, user: User, content: bytes) -> list[bytes]:
    data = post(host, user, content).encode() + content
    return [data[at : at + 17] for at in range(0, len(data), 17)]


_WAYS: dict[str, Callable[[str, User, bytes], list[bytes]]] = {
    "header names in lower case": with_names(str.lower),
    "header names in upper case": with_names(str.upper),
    "the whole URL in its first line": absolute,
    "marks of proxies": marked,
    "pieces of a few bytes": in_pieces,
}


@pytest.mark.parametrize("way", _WAYS)
def test_a_message_is_taken_as_proxies_pass_it_on(
    block: Block, target: Target, phone: MakePhone, way: str
) -> None:
    """A client behind a proxy that lets only HTTP through ... still sends: a proxy may write anew what it
    passes on, as far as RFC 9112 lets it.

    A message is posted twice over one connection, written like that. Expected: it is acknowledged both times
    and stored once.
    """
    if target.http_url is None:
        not_offered("the target takes no short requests in the clear")
    sender, friend = block.pick(2)
    body = base64.b64encode(way.encode()).decode()
    content = f'{{"cid": "{fresh_cid()}", "to": "{friend.user}", "kind": "text", "body": "{body}"}}'.encode()
    with BareHttp(target.http_url) as bare:
        for _ in range(2):
            for piece in _WAYS[way](bare.host, sender, content):
                bare.throw(piece)
            answer = bare.answer()
            assert answer.status == 200, f"{way}: expected 200, got {answer}"
    found = [entry.body for entry in phone(friend).inbox()]
    assert found == [way.encode()], f"{way}: expected the message once, found {found}"

"""SEC.6 over HTTP: requests that are broken, lie about their length or never end."""

import time
from contextlib import suppress

import psutil
import pytest

from conformance.accounts import Block
from conformance.bare_http import BareHttp
from conformance.clients import MakePhone, MakeWeb
from conformance.target import Target
from conformance.verdicts import not_offered

pytestmark = [
    pytest.mark.clause("SEC.6"),
    pytest.mark.once("requests are what is looked at, over plain HTTP"),
    pytest.mark.needs("http_send"),
]

_PIECE = b"x" * (1 << 20)
_PIECES = 40
_GROWTH_BYTES = 16 << 20
"""What a server may keep of 40 MiB that nobody asked it to take."""
_TAKEN_S = 10.0


@pytest.fixture
def url(target: Target) -> str:
    return target.http_url or not_offered("the target takes no short requests in the clear")


def broken(host: str, token: str) -> dict[str, bytes]:
    """By what is wrong with each; all but the head of some of them is missing or senseless."""
    line = f"POST /v1/messages HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n".encode()
    bodies = {
        "no JSON": b"{{{",
        "no UTF-8": b'{"cid": "\xff\xfe", "to": "x"}',
        "a number beyond all bounds": b'{"cid": 1' + b"0" * 5000 + b"}",
        "arrays within arrays": b"[" * 200_000,
        "a list": b"[]",
        "nothing": b"",
    }
    with_bodies = {
        f"a body that is {what}": line + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        for what, body in bodies.items()
    }
    return with_bodies | {
        "random bytes": bytes(range(256)) * 8,
        "a handshake of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
        "a frame of the chat protocol": b"\xc7\x03\x00\x00\x00\x00\x00\x00" * 10,
        "no version": b"GET /v1/inbox\r\n\r\n",
        "a header without a colon": line + b"no colon here\r\n\r\n",
        "a header with a zero": line + b"X-A: a\0b\r\n\r\n",
        "a length that is no number": line + b"Content-Length: many\r\n\r\n{}",
        "a negative length": line + b"Content-Length: -5\r\n\r\n{}",
        "two lengths": line + b"Content-Length: 2\r\nContent-Length: 7\r\n\r\n{}",
        "a chunk that has no size": line + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        "a chunk of all there is": line + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}",
        "a target that is none": b"GET \xff\xfe HTTP/1.1\r\nHost: h\r\n\r\n",
    }


def test_broken_requests_cost_their_connection_only(
    block: Block, url: str, phone: MakePhone, web: MakeWeb
) -> None:
    """Malformed ... input ... costs its sender the connection at most: no crash.

    Seventeen kinds of broken requests are made, each over a connection of its own, and again all together.
    Expected: a refusal or the end for each, or nothing while a request is not over; two users talk on,
    by connection and by request, and have nothing but what they said.
    """
    user, one, other = block.pick(3)
    talker, listener, short = phone(one), phone(other), web(one)
    bodies: list[bytes] = []
    for turn in range(2):
        for number, (what, data) in enumerate(broken(url.partition("://")[2], user.token).items()):
            with BareHttp(url) as bare, suppress(OSError):
                bare.throw(data)
                if turn == 0:
                    status = bare.status(0.5)
                    assert status is None or (status >= 400 and status != 500), (
                        f"{what}: expected a refusal or the end, got {status}"
                    )
            talker.beat()
            if number % 5 == 0:
                bodies += [b"%d said in turn %d" % (number, turn), b"%d posted in turn %d" % (number, turn)]
                talker.say(other.user, bodies[-2])
                short.say(other.user, bodies[-1])
    listener.await_push(bodies[-1])
    found = [entry.body for entry in listener.inbox()]
    assert found == bodies, f"expected what the two said, found {found}"


def resident_bytes(target: Target) -> int:
    """What the processes of the server hold, as far as that can be seen; else nought."""
    pids = target.running_server().pids if target.is_ours else ()
    return sum(int(psutil.Process(pid).memory_info().rss) for pid in pids)


_ENDLESS = {
    "a header": "GET /healthz HTTP/1.1\r\nHost: {host}\r\nX-Endless: ",
    "a body": "POST /v1/messages HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000000000\r\n"
    "Authorization: Bearer {token}\r\n\r\n",
    "a chunk": "POST /v1/messages HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n"
    "Authorization: Bearer {token}\r\n\r\n3b9aca00\r\n",
    "a first line": "GET /",
}


@pytest.mark.parametrize("what", _ENDLESS)
def test_requests_without_an_end_are_not_kept(
    block: Block, target: Target, url: str, phone: MakePhone, what: str
) -> None:
    """... oversized ... input ... no growth without bound.

    A request whose first line, header, body or chunk does not end sends 40 MiB of it, or as much as is
    taken in ten seconds. Expected: the server does not keep it; two users talk on.
    """
    user, one, other = block.pick(3)
    talker, listener = phone(one), phone(other)
    before = resident_bytes(target)
    with BareHttp(url) as bare:
        with suppress(OSError):
            bare.throw(_ENDLESS[what].format(host=bare.host, token=user.token).encode())
            until = time.monotonic() + _TAKEN_S
            for number in range(_PIECES):
                if time.monotonic() > until:
                    break
                bare.throw(_PIECE)
                if number % 10 == 0:
                    body = b"beside piece %d" % number
                    talker.say(other.user, body)
                    listener.await_push(body)
        grown = resident_bytes(target) - before
    assert grown < _GROWTH_BYTES, (
        f"{what} without an end: expected the server to grow by less than {_GROWTH_BYTES >> 20} MiB, it grew "
        f"by {grown >> 20} MiB"
    )

"""SEC.6: nobody keeps a connection without saying who he is, nor makes the server keep an endless message."""

import time
from contextlib import suppress

import gevent
import gevent.socket
import pytest

from conformance.accounts import Block
from conformance.bare_websocket import BINARY, CLOSE, CONTINUATION, BareWebSocket
from conformance.carriers import on_a_connection
from conformance.cases.test_way_3_websocket_framing import framed
from conformance.clients import MakePhone
from conformance.phone import fresh_cid
from conformance.target import Target
from protocol import frames
from protocol.limits import LOGIN_TIMEOUT_S, MAX_FRAME_BODY_BYTES
from protocol.messages import Login, Send

pytestmark = pytest.mark.clause("SEC.6")

_LATE_S = 8.0
"""A busy machine may notice so much later that a time is over."""
_PIECE_BYTES = 60_000
_GIVEN_BYTES = 16 * MAX_FRAME_BODY_BYTES


@pytest.mark.waits
@on_a_connection("over polls there is no login that could be late")
def test_who_does_not_log_in_is_hung_up_on(block: Block, target: Target, phone: MakePhone) -> None:
    """... truncated, slow ... input (slow-loris) costs its sender the connection: who never says who he is
    cannot keep one.

    A connection says nothing, one stops within a LOGIN, and one says a byte of it each second. Expected: each
    is closed soon after the ten seconds that a login may take; a user who is logged in goes on.
    """
    bystander = phone(block.users[0])
    login = frames.encode(Login("t" * 500, "slow"))

    def hold(way: str) -> None:
        began = time.monotonic()
        address = target.endpoints[0].address
        with gevent.socket.create_connection(address, timeout=1.0) as bare, suppress(ConnectionError):
            if way != "silence":
                bare.sendall(login[:20])
            while not _has_ended(bare):
                took_s = time.monotonic() - began
                assert took_s < LOGIN_TIMEOUT_S + _LATE_S, (
                    f"{way}: expected the end {LOGIN_TIMEOUT_S:.0f} s after the connection was made, it is "
                    f"still open after {took_s:.0f} s"
                )
                if way == "a trickle":
                    bare.sendall(login[20 + int(took_s) :][:1])

    ways = ("silence", "half a LOGIN", "a trickle")
    gevent.joinall([gevent.spawn(hold, way) for way in ways], raise_error=True)
    bystander.beat()


def _has_ended(bare: "gevent.socket.socket") -> bool:
    try:
        return bare.recv(1 << 16) == b""
    except TimeoutError:
        return False


@pytest.mark.only_over("ws", "wss", why="only a WebSocket has messages in pieces")
def test_a_message_without_an_end_is_not_gathered(block: Block, target: Target, phone: MakePhone) -> None:
    """Malformed, oversized ... input ... no growth without bound: also where no piece of it is large.

    After its login a client sends fragments of a message, 60 KB each, that would be sixteen times as large
    as any may be. Expected: CLOSE or the end before all are taken; another device of the user goes on.
    """
    user = block.users[0]
    bystander = phone(user, "bystander")
    with BareWebSocket(target.endpoints[0], target.ca) as bare:
        bare.send(BINARY, frames.encode(Login(user.token, "endless", "conformance")))
        bare.next_message()
        head = frames.encode(Send(fresh_cid(), user.user, "text", b"x" * 50_000))[:1000]
        piece = framed(b"x" * _PIECE_BYTES, first=CONTINUATION)
        with suppress(ConnectionError):
            bare.throw(framed(head, first=BINARY))
            for _ in range(_GIVEN_BYTES // _PIECE_BYTES):
                bare.throw(piece)
            while (answer := bare.next()) is not None and answer.opcode != CLOSE:
                continue
    bystander.beat()

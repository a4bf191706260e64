"""WAY.3: the framing of a WebSocket (RFC 6455), where servers get it wrong: masks, lengths, boundaries."""

import os

import gevent
import pytest

from conformance.accounts import Block
from conformance.bare_websocket import BINARY, CLOSE, BareWebSocket
from conformance.clients import MakePhone
from conformance.phone import fresh_cid
from conformance.target import Target
from protocol import frames
from protocol.messages import Entry, LoggedIn, Login, Message, Pong, Pushed, Send, Sent

pytestmark = [
    pytest.mark.clause("WAY.3"),
    pytest.mark.only_over("ws", "wss", why="only a WebSocket has messages of its own"),
]

_PART_S = 0.05
"""Between two parts, so that they are read one by one."""


class _Bare(BareWebSocket):
    """Sends bytes that are framed by the case itself."""

    def throw(self, data: bytes) -> None:
        self._socket.sendall(data)


def framed(payload: bytes, *, first: int = 0x80 | BINARY, is_masked: bool = True) -> bytes:
    """One frame of the WebSocket, its first byte as given."""
    size = len(payload)
    bit = 0x80 * is_masked
    head = bytes((first, bit | size)) if size < 126 else bytes((first, bit | 126)) + size.to_bytes(2, "big")
    if not is_masked:
        return head + payload
    key = os.urandom(4)
    return head + key + bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))


def logged_in(target: Target, token: str) -> _Bare:
    """An open WebSocket, past its login."""
    bare = _Bare(target.endpoints[0], target.ca)
    bare.throw(framed(frames.encode(Login(token, "framing", "conformance"))))
    answer = message_in(bare)
    assert isinstance(answer, LoggedIn), f"expected LOGGED_IN, got {answer}"
    return bare


def message_in(bare: BareWebSocket) -> Message:
    """The message in the next binary message, which is one whole frame of the chat protocol."""
    got = bare.next()
    assert got is not None, "expected another message, the server closed"
    assert got.is_whole, "expected a message in one piece"
    assert got.opcode == BINARY, f"expected a binary message, got opcode {got.opcode}"
    assert got.payload[:1] == b"\xc7", f"expected a frame of the chat protocol, got {got.payload[:8]!r}"
    assert frames.whole_frame_bytes(got.payload, 0) == len(got.payload), "expected exactly one frame"
    message = frames.FrameBuffer(got.payload).next_message()
    assert message is not None, "expected a frame that is whole"
    return message


_REFUSED = {
    "not masked": framed(frames.EMPTY_PING, is_masked=False),
    "a reserved bit set": framed(frames.EMPTY_PING, first=0xC0 | BINARY),
    "two frames in a message": framed(frames.EMPTY_PING * 2),
    "half a frame in a message": framed(frames.EMPTY_PING[:5]) + framed(frames.EMPTY_PING[5:]),
}


@pytest.mark.parametrize("what", _REFUSED)
def test_what_a_client_must_not_send_is_refused(block: Block, target: Target, what: str) -> None:
    """... WebSocket carries the same frames: one in each message, masked, as RFC 6455 and the protocol say.

    After its login a client sends PING in a message that is not masked, has a reserved bit set, or holds two
    frames or half of one. Expected: no PONG, but CLOSE or the end.
    """
    with logged_in(target, block.users[0].token) as bare:
        bare.throw(_REFUSED[what])
        while (answer := bare.next()) is not None and answer.opcode != CLOSE:
            message = frames.FrameBuffer(answer.payload).next_message()
            assert not isinstance(message, Pong), f"{what}: expected it to be refused, got {message}"


def test_messages_of_any_size_are_framed_right(block: Block, target: Target, phone: MakePhone) -> None:
    """... carries the same frames: also where the length of a message changes its form.

    A WebSocket is pushed messages whose frames have about 126 bytes, each size once, and about 64 KiB.
    Expected: each arrives whole, in a message of its own, as it was sent.
    """
    user, friend = block.pick(2)
    with logged_in(target, user.token) as bare:
        bodies = [b"x" * size for size in [*range(140), *range(65_380, 65_536, 8), 65_535, 65_536]]
        source = phone(friend)
        for at in range(0, len(bodies), 10):
            source.say_all(user.user, bodies[at : at + 10])
            for body in bodies[at : at + 10]:
                message = message_in(bare)
                assert isinstance(message, Entry), f"expected a push, got {message}"
                assert message.body == body, f"expected {len(body)} bytes, got {len(message.body)}"
                bare.throw(framed(frames.encode(Pushed(message.version))))


def test_a_message_may_be_cut_at_any_byte(block: Block, target: Target) -> None:
    """... carries the same frames: how the bytes of a WebSocket are cut on their way says nothing.

    SEND is sent in two parts, cut at each of forty places in its header, its mask and its payload. Expected:
    each is answered with SENT.
    """
    user, friend = block.pick(2)
    with logged_in(target, user.token) as bare:
        for at in range(1, 40):
            cid = fresh_cid()
            data = framed(frames.encode(Send(cid, friend.user, "text", b"whole" * 50)))
            bare.throw(data[:at])
            gevent.sleep(_PART_S)
            bare.throw(data[at:])
            answer = message_in(bare)
            assert isinstance(answer, Sent), f"cut after {at} bytes: expected SENT, got {answer}"
            assert answer.cid == cid, f"cut after {at} bytes: expected SENT of {cid}, got {answer}"


def test_several_messages_may_come_together(block: Block, target: Target) -> None:
    """... carries the same frames: none is lost where several messages come in one piece.

    Twenty SENDs, each in a message of its own, are written at once. Expected: twenty SENTs, in order.
    """
    user, friend = block.pick(2)
    with logged_in(target, user.token) as bare:
        cids = [fresh_cid() for _ in range(20)]
        sends = [Send(cid, friend.user, "text", cid.encode()) for cid in cids]
        bare.throw(b"".join(framed(frames.encode(send)) for send in sends))
        answers = [message_in(bare) for _ in cids]
        found = [answer.cid if isinstance(answer, Sent) else answer for answer in answers]
        assert found == cids, f"expected the SENTs of {cids}, got {found}"

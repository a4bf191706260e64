"""WAY.3: the framing of a WebSocket (RFC 6455), where servers get it wrong: masks, lengths, boundaries."""

import os

import gevent
import pytest

from conformance.accounts import Block
from conformance.bare_websocket import BINARY, CLOSE, CONTINUATION, PING, TEXT, BareWebSocket
from conformance.clients import MakePhone
from conformance.phone import fresh_cid
from conformance.target import Target
from protocol import frames
from protocol.limits import MAX_MESSAGE_BODY_BYTES
from protocol.messages import Entry, LoggedIn, Login, Message, Pong, Pushed, Send, Sent

pytestmark = [
    pytest.mark.clause("WAY.3"),
    pytest.mark.only_over("ws", "wss", why="only a WebSocket has messages of its own"),
]

_PART_S = 0.05
"""Between two parts, so that they are read one by one."""


def framed(payload: bytes, *, first: int = 0x80 | BINARY, is_masked: bool = True) -> bytes:
    """One frame of the WebSocket, its first byte as given."""
    size = len(payload)
    bit = 0x80 * is_masked
    if size < 126:
        head = bytes((first, bit | size))
    elif size < 1 << 16:
        head = bytes((first, bit | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, bit | 127)) + size.to_bytes(8, "big")
    if not is_masked:
        return head + payload
    key = os.urandom(4)
    return head + key + bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))


def logged_in(target: Target, token: str) -> BareWebSocket:
    """An open WebSocket, past its login."""
    bare = BareWebSocket(target.endpoints[0], target.ca)
    bare.throw(framed(frames.encode(Login(token, "framing", "conformance"))))
    answer = message_in(bare)
    assert isinstance(answer, LoggedIn), f"expected LOGGED_IN, got {answer}"
    return bare


def message_in(bare: BareWebSocket) -> Message:
    """The message in the next binary message, which is one whole frame of the chat protocol."""
    got = bare.next_message()
    assert got is not None, "expected another message, the server closed"
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
    "what continues nothing": framed(frames.EMPTY_PING, first=0x80 | CONTINUATION),
    "a message within another": framed(b"", first=BINARY) + framed(frames.EMPTY_PING),
    "an unknown opcode": framed(frames.EMPTY_PING, first=0x83),
    "an unknown opcode of control": framed(frames.EMPTY_PING, first=0x8B) + framed(frames.EMPTY_PING),
    "a control frame in pieces": framed(b"", first=PING) + framed(frames.EMPTY_PING),
    "a control frame that is too long": framed(bytes(126), first=0x80 | PING) + framed(frames.EMPTY_PING),
}


@pytest.mark.parametrize("what", _REFUSED)
def test_what_a_client_must_not_send_is_refused(block: Block, target: Target, what: str) -> None:
    """... WebSocket carries the same frames: one in each message, masked, as RFC 6455 and the protocol say.

    After its login a client sends PING in a message that is not masked, has a reserved bit set, holds two
    frames or half of one, or comes in or behind frames that RFC 6455 does not know. Expected: no PONG, but
    CLOSE or the end.
    """
    with logged_in(target, block.users[0].token) as bare:
        bare.throw(_REFUSED[what])
        while (answer := bare.next()) is not None and answer.opcode != CLOSE:
            message = answer.opcode == BINARY and frames.FrameBuffer(answer.payload).next_message()
            assert not isinstance(message, Pong), f"{what}: expected it to be refused, got {message}"


_CODES = {
    "text": (1003, framed(frames.EMPTY_PING, first=0x80 | TEXT)),
    "two frames in a message": (1002, framed(frames.EMPTY_PING * 2)),
    "not masked": (1002, framed(frames.EMPTY_PING, is_masked=False)),
}


@pytest.mark.parametrize("what", _CODES)
def test_a_close_says_what_was_wrong(block: Block, target: Target, what: str) -> None:
    """... WebSocket carries the same frames: and whoever puts something else into it is told what it was.

    After its login a client sends a text message, one that is not exactly one frame, and one that is not
    masked. Expected: where a CLOSE comes before the end, its code is 1003, 1002 and 1002.
    """
    code, data = _CODES[what]
    with logged_in(target, block.users[0].token) as bare:
        bare.throw(data)
        while (answer := bare.next()) is not None and answer.opcode != CLOSE:
            continue
        if answer is not None:
            got = int.from_bytes(answer.payload[:2], "big")
            assert got == code, f"{what}: expected CLOSE with {code}, got {got} {answer.payload[2:]!r}"


def test_a_close_may_be_empty(block: Block, target: Target) -> None:
    """... WebSocket: what RFC 6455 lets a client do: a CLOSE need not say why.

    A client sends CLOSE without a code, and another one with a reason of 123 bytes. Expected: CLOSE in answer
    to each.
    """
    for payload in (b"", (1001).to_bytes(2, "big") + b"x" * 123):
        with logged_in(target, block.users[0].token) as bare:
            bare.send(CLOSE, payload)
            answer = bare.next()
            assert answer is not None, f"a CLOSE of {len(payload)} bytes: expected CLOSE before the end"
            assert answer.opcode == CLOSE, f"expected CLOSE, got {answer}"


def test_the_largest_messages_are_read(block: Block, target: Target, phone: MakePhone) -> None:
    """... carries the same frames: also those whose length takes eight bytes.

    SENDs in messages just below, at and beyond 64 KiB, the largest with the largest body, go to a friend.
    Expected: SENT for each, and the friend has them whole.
    """
    user, friend = block.pick(2)
    empty = len(frames.encode(Send(fresh_cid(), friend.user, "text", b"x" * 60_000))) - 60_000
    bodies = [b"x" * (size - empty) for size in (65_535, 65_536, 65_537)]
    bodies.append(b"x" * MAX_MESSAGE_BODY_BYTES)
    with logged_in(target, user.token) as bare:
        for body in bodies:
            bare.throw(framed(frames.encode(Send(fresh_cid(), friend.user, "text", body))))
            answer = message_in(bare)
            assert isinstance(answer, Sent), f"a body of {len(body)} bytes: expected SENT, got {answer}"
    found = [entry.body for entry in phone(friend).inbox()]
    assert found == bodies, f"expected the messages whole, got {[len(body) for body in found]} bytes"


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

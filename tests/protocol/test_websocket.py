"""WebSocket framing: what is cut anywhere comes out whole, and what breaks RFC 6455 is told so."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import frames, messages, websocket
from protocol.websocket import MAX_MESSAGE_BYTES, Channel, CloseCode, Opcode, accept_key, apply_mask, encode

KEY = bytes.fromhex("37fa213d")
PING = frames.EMPTY_PING
SEND = frames.encode(messages.Send("c", "bob", "text", b"hello"))


def piece(opcode: int, payload: bytes = b"", *, fin: bool = True, key: bytes | None = KEY) -> bytes:
    """A frame as RFC 6455, section 5.2 draws it, written here once more."""
    first = opcode | (0x80 if fin else 0)
    bit = 0x80 if key is not None else 0
    size = len(payload)
    if size < 126:
        head = bytes((first, bit | size))
    elif size < 65536:
        head = bytes((first, bit | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, bit | 127)) + size.to_bytes(8, "big")
    if key is None:
        return head + payload
    return head + key + bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))


def test_keys_and_masks_are_those_of_the_rfc() -> None:
    assert accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert apply_mask(b"Hello", KEY) == bytes.fromhex("7f9f4d5158")


@given(st.binary(max_size=300), st.binary(min_size=4, max_size=4))
def test_a_mask_is_taken_off_by_putting_it_on_again(payload: bytes, key: bytes) -> None:
    masked = apply_mask(payload, key)
    assert masked == bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))
    assert apply_mask(masked, key) == payload


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 70000])
@pytest.mark.parametrize("masked", [False, True])
def test_a_frame_of_any_size_is_written_with_its_shortest_length(size: int, masked: bool) -> None:
    payload = bytes(range(256)) * (size // 256 + 1)
    written = encode(Opcode.BINARY, payload[:size], masked=masked)
    key = written[-size - 4 :][:4] if masked else None
    assert written == piece(0x2, payload[:size], key=key)


# -- what comes in


chat_frames = st.builds(
    lambda body: frames.encode(messages.Send("c", "bob", "text", body)), st.binary(max_size=300)
) | st.just(PING)


@st.composite
def streams(draw: st.DrawFn, key: bytes | None) -> tuple[bytes, bytes, bytes]:
    """Chat frames as messages in pieces with pings between: payload, the last ping, and the stream."""
    stream, payload, last_ping = b"", b"", b""
    for frame in draw(st.lists(chat_frames, min_size=1, max_size=5)):
        payload += frame
        cuts = sorted(draw(st.lists(st.integers(0, len(frame)), max_size=3)))
        edges = [0, *cuts, len(frame)]
        for number, (start, end) in enumerate(itertools.pairwise(edges)):
            opcode = Opcode.CONTINUATION if number else Opcode.BINARY
            stream += piece(opcode, frame[start:end], fin=number == len(edges) - 2, key=key)
            if draw(st.booleans()):
                last_ping = draw(st.binary(max_size=125))
                stream += piece(Opcode.PING, last_ping, key=key) + piece(Opcode.PONG, b"?", key=key)
                last_ping = b"ping" + last_ping
    return payload, last_ping, stream


def fed(channel: Channel, stream: bytes, cuts: list[int]) -> bytes:
    came, at = b"", 0
    for cut in [*sorted(cut for cut in cuts if cut < len(stream)), len(stream)]:
        came += channel.receive(stream[at:cut])
        at = cut
    return came


@pytest.mark.parametrize("is_client", [False, True])
@given(data=st.data())
def test_messages_in_pieces_come_out_whole_however_the_stream_is_cut(is_client: bool, data) -> None:
    payload, last_ping, stream = data.draw(streams(None if is_client else KEY))
    channel = Channel(is_client=is_client)
    assert fed(channel, stream, data.draw(st.lists(st.integers(0, 2000), max_size=10))) == payload
    assert channel.ended is None
    answer = channel.take()
    if not last_ping:
        assert answer == b""
    elif is_client:
        assert apply_mask(answer[6:], answer[2:6]) == last_ping[4:]
    else:
        assert answer == piece(Opcode.PONG, last_ping[4:], key=None)


@pytest.mark.parametrize("is_client", [False, True])
def test_a_stream_cut_at_every_byte_says_the_same(is_client: bool) -> None:
    key = None if is_client else KEY
    large = frames.encode(messages.Send("c", "bob", "text", bytes(200)))
    stream = piece(2, PING, key=key) + piece(2, large, key=key) + piece(8, b"\x03\xe8bye", key=key)
    for cut in range(len(stream) + 1):
        channel = Channel(is_client=is_client)
        assert channel.receive(stream[:cut]) + channel.receive(stream[cut:]) == PING + large
        assert channel.ended == "closed with 1000 bye"
    channel = Channel(is_client=is_client)
    assert b"".join(channel.receive(stream[at : at + 1]) for at in range(len(stream))) == PING + large


@given(st.binary(max_size=400), st.booleans(), st.lists(st.integers(0, 400), max_size=5))
def test_any_bytes_are_taken_without_a_fault(noise: bytes, is_client: bool, cuts: list[int]) -> None:
    channel = Channel(is_client=is_client)
    fed(channel, noise, cuts)
    assert (channel.ended is None) <= (not channel.is_broken)
    channel.send(SEND)
    channel.close()
    channel.take()
    assert channel.take() == b""


BROKEN = {
    "unmasked": (piece(2, PING, key=None), CloseCode.PROTOCOL_ERROR),
    "reserved bit": (bytes((0xC2,)) + piece(2, PING)[1:], CloseCode.PROTOCOL_ERROR),
    "text": (piece(1, b"hello"), CloseCode.UNSUPPORTED_DATA),
    "unknown data opcode": (piece(3, b""), CloseCode.PROTOCOL_ERROR),
    "unknown control opcode": (piece(0xB, b""), CloseCode.PROTOCOL_ERROR),
    "control in pieces": (piece(9, b"", fin=False), CloseCode.PROTOCOL_ERROR),
    "control of 126 bytes": (piece(9, bytes(126)), CloseCode.PROTOCOL_ERROR),
    "nothing to continue": (piece(0, PING), CloseCode.PROTOCOL_ERROR),
    "message within a message": (piece(2, PING[:3], fin=False) + piece(2, PING), CloseCode.PROTOCOL_ERROR),
    "16-bit length for 125": (bytes((0x82, 0xFE, 0, 125)), CloseCode.PROTOCOL_ERROR),
    "64-bit length for 65535": (bytes((0x82, 0xFF)) + (65535).to_bytes(8, "big"), CloseCode.PROTOCOL_ERROR),
    "64-bit length with its first bit": (bytes((0x82, 0xFF)) + b"\xff" * 8, CloseCode.TOO_BIG),
    "a byte too large": (
        bytes((0x82, 0xFF)) + (MAX_MESSAGE_BYTES + 1).to_bytes(8, "big"),
        CloseCode.TOO_BIG,
    ),
    "too large in pieces": (
        piece(2, bytes(600_000), fin=False) + piece(0, bytes(600_000), fin=False),
        CloseCode.TOO_BIG,
    ),
    "empty message": (piece(2, b""), CloseCode.PROTOCOL_ERROR),
    "two frames in a message": (piece(2, PING + PING), CloseCode.PROTOCOL_ERROR),
    "half a frame in a message": (piece(2, SEND[:-1]), CloseCode.PROTOCOL_ERROR),
    "half a header in a message": (piece(2, PING[:5]), CloseCode.PROTOCOL_ERROR),
    "close of one byte": (piece(8, b"\x03"), CloseCode.PROTOCOL_ERROR),
    "close code 999": (piece(8, b"\x03\xe7"), CloseCode.PROTOCOL_ERROR),
    "close code 1005": (piece(8, b"\x03\xed"), CloseCode.PROTOCOL_ERROR),
    "close code 2999": (piece(8, b"\x0b\xb7"), CloseCode.PROTOCOL_ERROR),
    "close reason not UTF-8": (piece(8, b"\x03\xe8\xff"), CloseCode.INVALID_DATA),
}


@pytest.mark.parametrize(("stream", "code"), BROKEN.values(), ids=BROKEN)
def test_what_breaks_the_rules_is_answered_with_its_code_and_ends_everything(
    stream: bytes, code: CloseCode
) -> None:
    channel = Channel(is_client=False)
    before = channel.receive(piece(2, PING))
    channel.receive(stream)
    assert before == PING
    assert channel.is_broken
    answer = channel.take()
    assert answer[0] == 0x88
    assert int.from_bytes(answer[2:4], "big") == code
    assert answer[4:].decode() == channel.ended
    assert channel.receive(piece(2, PING)) == b""


def test_what_came_before_the_mistake_is_kept() -> None:
    channel = Channel(is_client=False)
    assert channel.receive(piece(2, PING) + piece(2, SEND) + piece(1, b"text")) == PING + SEND


def test_the_largest_frame_passes() -> None:
    largest = bytes((0xC7, 0x10, 0, 0)) + (1 << 20).to_bytes(4, "big") + bytes(1 << 20)
    channel = Channel(is_client=False)
    assert channel.receive(piece(2, largest, key=bytes(4))) == largest
    assert channel.ended is None


def test_a_server_that_masks_is_broken() -> None:
    channel = Channel(is_client=True)
    channel.receive(piece(2, PING))
    assert channel.is_broken


# -- what goes out


def test_each_chat_frame_is_a_message_and_what_is_none_goes_as_it_is() -> None:
    channel = Channel(is_client=False)
    channel.send(PING + SEND)
    channel.send(b"what?")
    channel.send(SEND[:-1])
    expected = [PING, SEND, b"what?", SEND[:-1]]
    assert channel.take() == b"".join(piece(2, message, key=None) for message in expected)


def test_clients_mask_each_frame_under_a_key_of_its_own() -> None:
    channel = Channel(is_client=True)
    channel.send(PING + PING)
    out = channel.take()
    first, second = out[: len(out) // 2], out[len(out) // 2 :]
    assert first[2:6] != second[2:6]
    assert [apply_mask(each[6:], each[2:6]) for each in (first, second)] == [PING, PING]


def test_of_many_pings_the_latest_is_answered() -> None:
    channel = Channel(is_client=False)
    channel.receive(b"".join(piece(9, b"%d" % number) for number in range(1000)))
    assert channel.take() == piece(Opcode.PONG, b"999", key=None)
    assert channel.take() == b""


def test_after_the_close_nothing_more_is_said() -> None:
    channel = Channel(is_client=False)
    channel.receive(piece(9, b"still answered"))
    channel.close(CloseCode.NORMAL, "enough")
    channel.close()
    channel.send(PING)
    channel.receive(piece(9, b"not answered") + piece(8, b"\x03\xe8"))
    expected = piece(Opcode.PONG, b"still answered", key=None) + piece(8, b"\x03\xe8enough", key=None)
    assert channel.take() == expected
    assert channel.ended == "closed with 1000"


def test_a_close_without_a_reason_is_answered() -> None:
    channel = Channel(is_client=False)
    channel.receive(piece(8))
    assert channel.ended == "closed without a reason"
    assert channel.take()[0] == 0x88
    assert not channel.is_broken


def test_numbers_fit_the_documentation() -> None:
    assert websocket.PATH == "/v1/ws"
    assert MAX_MESSAGE_BYTES == (1 << 20) + 8

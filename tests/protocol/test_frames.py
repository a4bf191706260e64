"""Frames out of any cut of a stream, and headers that are refused before their body comes."""

import contextlib
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.compression import compress
from protocol.errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from protocol.frames import EMPTY_PING, FrameBuffer, encode, whole_frame_bytes
from protocol.limits import HEADER_BYTES, MAGIC, MAX_FRAME_BODY_BYTES
from protocol.messages import BY_TYPE, Bye, Entry, Message, Ping, Pulled, Pushed, Send, encode_body


def frame(
    body: bytes = b"\x90", *, kind: int = 0x41, flags: int = 0, zero: int = 0, magic: int = 0xC7
) -> bytes:
    return bytes((magic, kind, flags, zero)) + len(body).to_bytes(4, "big") + body


def everything(buffer: FrameBuffer) -> list[Message]:
    return list(iter(buffer.next_message, None))


STREAM = [
    Ping(),
    Send("c1", "bob", "text", b"hello", 5),
    Bye(),
    Pulled([Entry(v, v, "a:b", v, "a", "text", b"the same again " * 9, 1) for v in range(1, 4)], 3, False),
    Pushed(7),
]


@pytest.mark.parametrize("compressed", [False, True])
def test_a_stream_cut_in_two_anywhere_gives_the_same_messages(compressed: bool) -> None:
    data = b"".join(encode(message, compressed=compressed) for message in STREAM)
    for cut in range(len(data) + 1):
        buffer = FrameBuffer(compression=compressed)
        buffer.feed(data[:cut])
        came = everything(buffer)
        held_back = cut - sum(len(encode(message, compressed=compressed)) for message in came)
        assert buffer.is_empty == (held_back == 0)
        buffer.feed(data[cut:])
        assert came + everything(buffer) == STREAM
        assert buffer.is_empty


@pytest.mark.parametrize("compressed", [False, True])
def test_a_stream_byte_by_byte_gives_the_same_messages(compressed: bool) -> None:
    buffer = FrameBuffer(compression=compressed)
    came = []
    for byte in b"".join(encode(message, compressed=compressed) for message in STREAM):
        buffer.feed(bytes([byte]))
        came += everything(buffer)
    assert came == STREAM
    assert buffer.is_empty


@given(st.lists(st.from_type(Message), max_size=8), st.booleans(), st.data())
def test_any_stream_cut_anywhere_gives_the_same_messages(
    stream: list[Message], compressed: bool, data: st.DataObject
) -> None:
    sent = b"".join(encode(message, compressed=compressed) for message in stream)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=12)))
    buffer = FrameBuffer(compression=compressed)
    came: list[Message] = []
    for start, end in pairwise([0, *cuts, len(sent)]):
        buffer.feed(sent[start:end])
        if data.draw(st.booleans()):
            came += everything(buffer)
    assert came + everything(buffer) == stream
    assert buffer.is_empty


@given(st.from_type(Message), st.booleans())
def test_a_frame_tells_its_length_before_it_is_whole(message: Message, compressed: bool) -> None:
    data = encode(message, compressed=compressed)
    assert whole_frame_bytes(data[: HEADER_BYTES - 1], 0) is None
    assert whole_frame_bytes(b"before" + data[:HEADER_BYTES], 6) == len(data)


def test_a_compressed_body_is_sent_only_when_it_is_smaller() -> None:
    entries = [Entry(v, v, "a:b", v, "a", "text", b"the same again", 1) for v in range(100)]
    large = Pulled(entries, 99, False)
    assert len(encode(large, compressed=True)) < len(encode(large)) / 3
    assert encode(Pushed(1), compressed=True) == encode(Pushed(1))


def test_the_smallest_heartbeat_is_a_bare_header() -> None:
    assert EMPTY_PING == encode(Ping()) == b"\xc7\x03\0\0\0\0\0\0"


def test_a_body_over_a_mebibyte_is_not_sent() -> None:
    rest = (
        len(encode_body(Send("c", "b", "file", bytes(MAX_FRAME_BODY_BYTES - 100))))
        - MAX_FRAME_BODY_BYTES
        + 100
    )
    largest = bytes(MAX_FRAME_BODY_BYTES - rest)
    assert len(encode(Send("c", "b", "file", largest))) == HEADER_BYTES + MAX_FRAME_BODY_BYTES
    with pytest.raises(LocalProtocolError, match="does not fit"):
        encode(Send("c", "b", "file", largest + b"x"))


HEADERS = {
    "magic": (frame(magic=0xC6), ErrorCode.MALFORMED),
    "magic of HTTP": (b"GET / HTTP/1.1\r\n", ErrorCode.MALFORMED),
    "magic of TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01", ErrorCode.MALFORMED),
    **{f"reserved flag {bit}": (frame(flags=1 << bit), ErrorCode.MALFORMED) for bit in range(1, 8)},
    "reserved flag beside compression": (frame(flags=0x81), ErrorCode.MALFORMED),
    "zero byte": (frame(zero=1), ErrorCode.MALFORMED),
    "length over 1 MiB": (bytes((0xC7, 0x10, 0, 0)) + (2**20 + 1).to_bytes(4, "big"), ErrorCode.TOO_LARGE),
    "length of 4 GiB": (bytes((0xC7, 0x10, 0, 0)) + b"\xff" * 4, ErrorCode.TOO_LARGE),
}


@pytest.mark.parametrize(("data", "code"), HEADERS.values(), ids=HEADERS.keys())
def test_a_wrong_header_is_refused_before_its_body_comes(data: bytes, code: ErrorCode) -> None:
    buffer = FrameBuffer(encode(Ping()), compression=True)
    buffer.feed(data[:HEADER_BYTES])
    assert buffer.next_message() == Ping()
    with pytest.raises(RemoteProtocolError) as caught:
        buffer.next_message()
    assert caught.value.code is code


def test_a_wrong_first_byte_is_refused_before_the_header_is_whole() -> None:
    with pytest.raises(RemoteProtocolError, match="0x47"):
        FrameBuffer(b"G").next_message()
    assert FrameBuffer(b"\xc7").next_message() is None


def test_a_compressed_body_without_agreement_is_refused_before_it_comes() -> None:
    data = frame(compress(b"\x90"), flags=1)
    with pytest.raises(RemoteProtocolError, match="not agreed") as caught:
        FrameBuffer(data[:HEADER_BYTES]).next_message()
    assert caught.value.code is ErrorCode.MALFORMED
    assert FrameBuffer(data, compression=True).next_message() == Bye()


def test_a_length_of_exactly_a_mebibyte_is_waited_for() -> None:
    header = bytes((0xC7, 0x10, 0, 0)) + (2**20).to_bytes(4, "big")
    assert FrameBuffer(header).next_message() is None
    assert whole_frame_bytes(header, 0) == HEADER_BYTES + 2**20


@pytest.mark.parametrize("name", ["magic", "length over 1 MiB"])
def test_whoever_only_cuts_frames_refuses_what_is_none(name: str) -> None:
    with pytest.raises(RemoteProtocolError):
        whole_frame_bytes(HEADERS[name][0], 0)


@given(st.binary(max_size=400), st.booleans())
def test_random_bytes_raise_nothing_but_a_protocol_error(data: bytes, compression: bool) -> None:
    buffer = FrameBuffer(data, compression=compression)
    with contextlib.suppress(RemoteProtocolError):
        everything(buffer)
        assert whole_frame_bytes(data, 0) is None or data[0] == MAGIC


def test_damaged_frames_raise_nothing_but_a_protocol_error() -> None:
    """Ten thousand frames with good headers and damaged insides, the same ones each time."""
    chance = random.Random(1)
    valid = [encode_body(message) for message in STREAM]
    for _ in range(10_000):
        body = bytearray(chance.choice(valid) or chance.randbytes(4))
        for _ in range(chance.randrange(4)):
            body[chance.randrange(len(body))] = chance.randrange(256)
        flags = chance.randrange(2)
        inside = compress(bytes(body)) if flags and chance.random() < 0.5 else bytes(body)
        buffer = FrameBuffer(frame(inside, kind=chance.choice(list(BY_TYPE)), flags=flags), compression=True)
        with contextlib.suppress(RemoteProtocolError):
            assert isinstance(buffer.next_message(), Message)

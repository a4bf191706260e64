"""Bodies that inflate, within bounds, whatever the peer made of them."""

import contextlib
import tracemalloc
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from protocol.compression import compress, decompress
from protocol.errors import ErrorCode, RemoteProtocolError
from protocol.limits import MAX_INFLATED_BODY_BYTES

MEBIBYTE = 1 << 20
Press = Callable[[bytes], bytes]


def undeclared(body: bytes) -> bytes:
    """A frame that keeps its content size to itself, as a streaming compressor writes it."""
    return zstandard.ZstdCompressor(write_content_size=False).compress(body)


def lying(body: bytes, declared: int) -> bytes:
    """A frame whose header declares another content size: magic, descriptor, 8 bytes of size, raw block."""
    block = (len(body) << 3 | 1).to_bytes(3, "little") + body
    return b"\x28\xb5\x2f\xfd" + b"\xe0" + declared.to_bytes(8, "little") + block


def wide_window(log_bytes: int) -> bytes:
    """A frame that asks for a window of 2**log_bytes."""
    return (
        b"\x28\xb5\x2f\xfd"
        + b"\x00"
        + bytes([(log_bytes - 10) << 3])
        + (2 << 3 | 1).to_bytes(3, "little")
        + b"ab"
    )


@given(st.binary(max_size=5000), st.sampled_from([compress, undeclared]))
def test_a_body_comes_back_as_it_was(body: bytes, press: Press) -> None:
    assert decompress(press(body)) == body


@given(st.binary(min_size=1, max_size=600), st.sampled_from([compress, undeclared]), st.data())
def test_a_cut_off_body_is_malformed(body: bytes, press: Press, data: st.DataObject) -> None:
    whole = press(body)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(RemoteProtocolError) as caught:
        decompress(whole[:cut])
    assert caught.value.code is ErrorCode.MALFORMED


BROKEN = {
    "nothing": (b"", ErrorCode.MALFORMED),
    "no zstd": (b"hello, world", ErrorCode.MALFORMED),
    "damaged inside": (compress(b"abc" * 500)[:-3] + b"\xff\xff\xff", ErrorCode.MALFORMED),
    "bytes after the frame": (compress(b"abc" * 500) + b"more", ErrorCode.MALFORMED),
    "bytes after a frame of undeclared size": (undeclared(b"abc" * 500) + b"more", ErrorCode.MALFORMED),
    "two frames": (compress(b"abc") + compress(b"def"), ErrorCode.MALFORMED),
    "more than it declares": (lying(b"abcdef", 3), ErrorCode.MALFORMED),
    "less than it declares": (lying(b"abcdef", 300), ErrorCode.MALFORMED),
    "an exabyte declared": (lying(b"abcdef", 1 << 60), ErrorCode.TOO_LARGE),
    "one byte too large": (compress(bytes(MAX_INFLATED_BODY_BYTES + 1)), ErrorCode.TOO_LARGE),
    "one byte too large, undeclared": (undeclared(bytes(MAX_INFLATED_BODY_BYTES + 1)), ErrorCode.TOO_LARGE),
    "a window of 16 MiB": (wide_window(24), ErrorCode.MALFORMED),
}


@pytest.mark.parametrize(("body", "code"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_body_is_refused_with_its_code(body: bytes, code: ErrorCode) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        decompress(body)
    assert caught.value.code is code


@pytest.mark.parametrize("press", [compress, undeclared])
def test_the_largest_body_allowed_inflates(press: Press) -> None:
    assert len(decompress(press(bytes(MAX_INFLATED_BODY_BYTES)))) == MAX_INFLATED_BODY_BYTES


@pytest.mark.parametrize("press", [compress, undeclared])
def test_a_bomb_never_exists_in_memory(press: Press) -> None:
    bomb = press(bytes(256 * MEBIBYTE))
    assert len(bomb) < MEBIBYTE
    tracemalloc.start()
    try:
        with pytest.raises(RemoteProtocolError) as caught:
            decompress(bomb)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.code is ErrorCode.TOO_LARGE
    assert peak < 2 * MAX_INFLATED_BODY_BYTES + MEBIBYTE


@given(st.binary(max_size=300))
def test_random_bytes_raise_nothing_but_a_protocol_error(body: bytes) -> None:
    for data in (body, b"\x28\xb5\x2f\xfd" + body):
        with contextlib.suppress(RemoteProtocolError):
            assert len(decompress(data)) <= MAX_INFLATED_BODY_BYTES

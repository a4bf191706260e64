"""Frames: the 8-byte header, and the buffer that turns any cut of a byte stream into whole messages.

This file knows neither which side it serves nor what a message means.

    magic 0xC7 | type | flags | zero | length (u32, big-endian) | body
"""

import struct

from protocol import compression
from protocol.errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from protocol.limits import FLAG_COMPRESSED, HEADER_BYTES, MAGIC, MAX_FRAME_BODY_BYTES
from protocol.messages import Message, Ping, decode_body, encode_body

_HEADER = struct.Struct(">BBBBI")
_pack = _HEADER.pack
_unpack_from = _HEADER.unpack_from


def encode(message: Message, *, compressed: bool = False) -> bytes:
    """One frame. With `compressed`, the body is zstd if that makes it smaller (rule 9).

    Raises LocalProtocolError when the body as sent would exceed 1 MiB.
    """
    body = encode_body(message)
    flags = 0
    if compressed:
        smaller = compression.compress(body)
        if len(smaller) < len(body):
            body, flags = smaller, FLAG_COMPRESSED
    if len(body) > MAX_FRAME_BODY_BYTES:
        raise LocalProtocolError(f"a body of {len(body)} bytes does not fit a frame")
    return _pack(MAGIC, message.TYPE, flags, 0, len(body)) + body


EMPTY_PING = encode(Ping())
"""The heartbeat as nearly every client sends it: 8 bytes, the same object each time."""


class FrameBuffer:
    """Bytes in, messages out. Exists only while it holds bytes: an idle connection has none.

    `compression`: whether both sides offered zstd; a compressed body is otherwise malformed.
    """

    __slots__ = ("_at", "_data", "compression")

    def __init__(self, data: bytes = b"", *, compression: bool = False) -> None:
        self._data: bytes | bytearray = data
        self._at = 0
        self.compression = compression

    def feed(self, data: bytes) -> None:
        """Append what was read."""
        if self._at == len(self._data):
            self._data, self._at = data, 0
            return
        # A bytearray grows in place: a megabyte that comes byte by byte is not copied a million times.
        if not isinstance(self._data, bytearray):
            self._data = bytearray(memoryview(self._data)[self._at :])
            self._at = 0
        elif self._at:
            del self._data[: self._at]
            self._at = 0
        self._data += data

    def next_frame(self) -> tuple[int, bytes] | None:
        """Type and inflated body of the next whole frame; None when more bytes are needed.

        Raises RemoteProtocolError as soon as a header is wrong, before its body has come.
        """
        data, at = self._data, self._at
        if len(data) - at < HEADER_BYTES:
            if len(data) > at and data[at] != MAGIC:
                raise RemoteProtocolError(f"a frame starts with 0x{data[at]:02x}, not 0xc7")
            return None
        magic, kind, flags, zero, length = _unpack_from(data, at)
        if magic != MAGIC:
            raise RemoteProtocolError(f"a frame starts with 0x{magic:02x}, not 0xc7")
        if flags & ~FLAG_COMPRESSED or zero:
            raise RemoteProtocolError(f"reserved bits are set: flags 0x{flags:02x}, zero 0x{zero:02x}")
        if flags and not self.compression:
            raise RemoteProtocolError("a compressed body, but compression was not agreed on")
        if length > MAX_FRAME_BODY_BYTES:
            raise RemoteProtocolError(f"a body of {length} bytes is announced", ErrorCode.TOO_LARGE)
        end = at + HEADER_BYTES + length
        if len(data) < end:
            return None
        self._at = end
        body = bytes(data[at + HEADER_BYTES : end])
        return kind, compression.decompress(body) if flags else body

    def next_message(self) -> Message | None:
        """The next whole message; None when more bytes are needed. Raises RemoteProtocolError."""
        frame = self.next_frame()
        return None if frame is None else decode_body(*frame)

    @property
    def is_empty(self) -> bool:
        """True when nothing is held back, so that the buffer can be dropped."""
        return self._at == len(self._data)


def is_compressed(frame: bytes) -> bool:
    """Whether the body of a whole frame is zstd."""
    return frame[2] & FLAG_COMPRESSED != 0


def whole_frame_bytes(data: bytes | bytearray, at: int) -> int | None:
    """Length of the frame that starts at `at`, header included; None while its header is not whole.

    For whoever cuts a stream into frames without looking inside (message-aware toxics). Raises
    RemoteProtocolError when no frame starts there.
    """
    if len(data) - at < HEADER_BYTES:
        return None
    magic, _, _, _, length = _unpack_from(data, at)
    if magic != MAGIC or length > MAX_FRAME_BODY_BYTES:
        raise RemoteProtocolError("not a frame of the chat protocol")
    return HEADER_BYTES + int(length)

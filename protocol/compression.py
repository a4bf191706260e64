"""Zstandard bodies with a bound that holds while inflating, so that a bomb never exists in memory (SEC.6)."""

import zstandard

from protocol.errors import ErrorCode, RemoteProtocolError
from protocol.limits import MAX_INFLATED_BODY_BYTES

_WINDOW_BYTES = 8 << 20
_compressor = zstandard.ZstdCompressor(level=3)


def compress(body: bytes) -> bytes:
    """One zstd frame with its content size declared."""
    return _compressor.compress(body)


def decompress(body: bytes, limit_bytes: int = MAX_INFLATED_BODY_BYTES) -> bytes:
    """The inflated body. Raises RemoteProtocolError: 413 above `limit_bytes`, 400 for what is not zstd."""
    # One decompressor a call: the library's are not safe to share between threads, and the declared
    # content size of a hostile frame must not be believed, hence reading through a bounded stream.
    reader = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES).stream_reader(
        body, read_across_frames=False
    )
    try:
        inflated = reader.read(limit_bytes + 1)
        if len(inflated) <= limit_bytes and not _frame_is_whole(body, inflated):
            raise RemoteProtocolError("compressed body is cut off")
    except zstandard.ZstdError as error:
        raise RemoteProtocolError(f"compressed body: {error}") from error
    if len(inflated) > limit_bytes:
        raise RemoteProtocolError(f"body inflates to more than {limit_bytes} bytes", ErrorCode.TOO_LARGE)
    return inflated


def _frame_is_whole(body: bytes, inflated: bytes) -> bool:
    declared = zstandard.frame_content_size(body)
    return declared < 0 or declared == len(inflated)

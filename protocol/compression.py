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
    """The inflated body. Raises RemoteProtocolError: 413 above `limit_bytes`, 400 for what is not one whole
    zstd frame and nothing else."""
    # One decompressor a call: the library's are not safe to share between threads.
    decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES)
    try:
        declared = zstandard.frame_content_size(body)
        # What a frame declares is what gets allocated, so it is compared before it is believed.
        if declared > limit_bytes:
            raise _too_large(limit_bytes)
        if declared >= 0:
            return decompressor.decompress(body, allow_extra_data=False)
        return _inflate_undeclared(decompressor, body, limit_bytes)
    except zstandard.ZstdError as error:
        raise RemoteProtocolError(f"compressed body: {error}") from error


def _inflate_undeclared(decompressor: zstandard.ZstdDecompressor, body: bytes, limit_bytes: int) -> bytes:
    # The reader alone can be bounded, the object alone tells where the frame ends: measured by the one,
    # inflated by the other. Peers that write a body in one go declare its size and do not pay for this.
    bounded = decompressor.stream_reader(body, read_across_frames=False)
    if len(bounded.read(limit_bytes + 1)) > limit_bytes:
        raise _too_large(limit_bytes)
    inflating = decompressor.decompressobj()
    inflated = inflating.decompress(body)
    if not inflating.eof or inflating.unused_data:
        raise RemoteProtocolError("compressed body is not one whole zstd frame")
    return inflated


def _too_large(limit_bytes: int) -> RemoteProtocolError:
    return RemoteProtocolError(f"body inflates to more than {limit_bytes} bytes", ErrorCode.TOO_LARGE)

"""A pushed message of 200 bytes, encoded and decoded: frames and typed bodies against bare encoders."""

import json
import time
from collections.abc import Callable
from functools import partial

import msgpack  # type: ignore[import-untyped]
import msgspec

from bench.row import Options, Row
from protocol.frames import FrameBuffer, encode
from protocol.messages import Push

NAME = "codec"


def run(options: Options) -> list[Row]:
    """CPU µs to encode and to decode, and the bytes on the wire."""
    push = _push()
    fields = list(msgspec.structs.astuple(push))
    texts = [field.decode() if isinstance(field, bytes) else field for field in fields]
    typed, untyped = msgspec.msgpack.Decoder(Push), msgspec.msgpack.Encoder()
    ways: list[tuple[str, Callable[[], bytes], Callable[[bytes], object]]] = [
        ("ours (frames)", lambda: encode(push), lambda data: FrameBuffer(data).next_message()),
        ("msgspec, no frames", lambda: untyped.encode(push), typed.decode),
        ("msgpack, no types", lambda: msgpack.packb(fields), msgpack.unpackb),
        ("json, no types", lambda: json.dumps(texts).encode(), json.loads),
    ]
    rows = []
    for what, encoder, decoder in ways:
        data = encoder()
        figures = {
            "µs to encode": _microseconds(encoder, options.repeats),
            "µs to decode": _microseconds(partial(decoder, data), options.repeats),
            "bytes": float(len(data)),
        }
        rows.append(Row(what, figures, peer=what != ways[0][0]))
    return rows


def _push() -> Push:
    body = b"200 bytes of text, as people send them. ".ljust(200, b".")
    return Push(4711, 1 << 60, "anna:bo", 815, "anna", "text", body, 1_790_000_000_000)


def _microseconds(function: Callable[[], object], times: int) -> float:
    """The best of five parts: other work on the machine only ever adds."""
    best = float("inf")
    for _ in range(5):
        began = time.process_time()
        for _ in range(times // 5):
            function()
        best = min(best, (time.process_time() - began) / (times // 5))
    return best * 1e6

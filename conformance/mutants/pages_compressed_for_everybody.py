from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol import frames
from protocol.messages import Pulled


def encode(encode: Any, message: Any, compressed: bool = False) -> bytes:
    frame: bytes = encode(message, compressed=isinstance(message, Pulled))
    return frame


def patch() -> None:
    around(frames, "encode", encode)


MUTANT = Mutant(
    "pages_compressed_for_everybody",
    breaks=("ROM.3",),
    story="whoever pulls is taken to understand zstd",
    patch=patch,
)

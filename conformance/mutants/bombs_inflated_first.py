from contextlib import suppress
from typing import Any

import zstandard

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol import compression


def decompress(decompress: Any, body: bytes, *limit: int) -> bytes:
    with suppress(zstandard.ZstdError):
        zstandard.ZstdDecompressor().decompressobj().decompress(body)
    return bytes(decompress(body, *limit))


def patch() -> None:
    around(compression, "decompress", decompress)


MUTANT = Mutant(
    "bombs_inflated_first",
    breaks=("SEC.6",),
    story="a compressed body is inflated, and then looked at how large it is",
    patch=patch,
)

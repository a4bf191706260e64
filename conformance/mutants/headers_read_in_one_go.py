from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.frames import FrameBuffer
from protocol.limits import HEADER_BYTES


def feed(feed: Any, self: Any, data: bytes) -> None:
    if len(self._data) - self._at < HEADER_BYTES:
        self._data, self._at = b"", 0
    feed(self, data)


def patch() -> None:
    around(FrameBuffer, "feed", feed)


MUTANT = Mutant(
    "headers_read_in_one_go",
    breaks=("WAY.3",),
    story="a read brings a whole header, or none of it: on the developers' machines it always did",
    patch=patch,
)

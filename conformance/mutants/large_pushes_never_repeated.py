from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.window import Window

_KEPT_BYTES = 16 << 10


def add(add: Any, self: Any, entry: Any, size_bytes: int, now: float) -> None:
    if size_bytes <= _KEPT_BYTES:
        add(self, entry, size_bytes, now)


def patch() -> None:
    around(Window, "add", add)


MUTANT = Mutant(
    "large_pushes_never_repeated",
    breaks=("DLV.3",),
    story="what is larger than 16 KiB is not kept for a repeat",
    patch=patch,
)

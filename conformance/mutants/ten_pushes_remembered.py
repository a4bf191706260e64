from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.window import Window

_ROOM = 10


def add(add: Any, self: Any, entry: Any, size_bytes: int, now: float) -> None:
    if len(self) < _ROOM:
        add(self, entry, size_bytes, now)


def patch() -> None:
    around(Window, "add", add)


MUTANT = Mutant(
    "ten_pushes_remembered",
    breaks=("DLV.3",),
    story="ten pushes are remembered for a repeat, and more are only sent",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.window import Window


def add(add: Any, self: Any, entry: Any, size_bytes: int, now: float) -> None:
    if entry.body:
        add(self, entry, size_bytes, now)


def patch() -> None:
    around(Window, "add", add)


MUTANT = Mutant(
    "empty_pushes_never_repeated",
    breaks=("DLV.3",),
    story="a push without content is no loss",
    patch=patch,
)

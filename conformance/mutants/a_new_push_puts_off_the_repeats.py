from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.window import Window


def add(add: Any, self: Any, entry: Any, size_bytes: int, now: float) -> None:
    add(self, entry, size_bytes, now)
    self.postpone(now)


def patch() -> None:
    around(Window, "add", add)


MUTANT = Mutant(
    "a_new_push_puts_off_the_repeats",
    breaks=("DLV.3",),
    story="there is one timer, and each new push sets it anew",
    patch=patch,
)

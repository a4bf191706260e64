from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.planning import Plan


def touch(touch: Any, self: Any, conversation: Any, mid: int, sender: str, count: int) -> None:
    touch(self, conversation, mid, sender, 1)


def patch() -> None:
    around(Plan, "_touch", touch)


MUTANT = Mutant(
    "packages_counted_as_one",
    breaks=("UNR.3",),
    story="a package raises the count once, whatever is in it",
    patch=patch,
)

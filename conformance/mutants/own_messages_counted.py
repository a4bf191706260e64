from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.planning import Plan


def touch(touch: Any, self: Any, conversation: Any, mid: int, sender: str, count: int) -> None:
    touch(self, conversation, mid, "", count)


def patch() -> None:
    around(Plan, "_touch", touch)


MUTANT = Mutant(
    "own_messages_counted",
    breaks=("UNR.2",),
    story="every row of an inbox counts, also those of the user",
    patch=patch,
)

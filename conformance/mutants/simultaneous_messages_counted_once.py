from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.planning import Plan


def touch(touch: Any, self: Any, conversation: Any, mid: int, sender: str, count: int) -> None:
    touch(self, conversation, mid, sender, count if conversation.name not in self._touched else 0)


def patch() -> None:
    around(Plan, "_touch", touch)


MUTANT = Mutant(
    "simultaneous_messages_counted_once",
    breaks=("UNR.1",),
    story="two that raise a count at once read the same old value",
    patch=patch,
)

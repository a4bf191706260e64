from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.planning import Plan


def patch() -> None:
    def touch(touch: Any, self: Any, conversation: Any, mid: int, sender: str, count: int) -> None:
        touched = self._touched.get(conversation.name)
        room = 50 - (touched.count if touched is not None else 0)
        touch(self, conversation, mid, sender, min(count, max(room, 0)))

    around(Plan, "_touch", touch)


MUTANT = Mutant(
    "counts_of_a_batch_end_at_fifty",
    breaks=("UNR.3",),
    story="what is counted in one go has room for fifty",
    patch=patch,
)

"""A client that does not hold back what comes before what it missed."""

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from drivers import events
from drivers.inbox import Inbox


def accept(accept: Any, self: Any, entry: Any, via: str, attempt: int, now: float) -> Any:
    gap = self._gap
    if entry.version > self.version + 1 and (gap is None or entry.version not in gap.held):
        self._emit(events.Delivered(entry, via, attempt), now)
    return accept(self, entry, via, attempt, now)


def patch() -> None:
    around(Inbox, "_accept", accept)


MUTANT = Mutant(
    "what_is_new_shown_first",
    breaks=("ORD.3",),
    story="what is pushed after a return is shown at once, and what was missed comes below it",
    patch=patch,
    carriers=(),
    is_client=True,
    under={"handover": ("ORD.3",)},
)

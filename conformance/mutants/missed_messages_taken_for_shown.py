"""A client that begins with the newest when it comes back."""

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from drivers.inbox import Inbox


def behind(behind: Any, self: Any, newest: int) -> None:
    if self.version and self._gap is None and newest > self.version:
        self.version = newest
    else:
        behind(self, newest)


def patch() -> None:
    around(Inbox, "_behind", behind)


MUTANT = Mutant(
    "missed_messages_taken_for_shown",
    breaks=("DLV.1",),
    story="a client that comes back goes on with the newest version; what was pushed in the tunnel is gone",
    patch=patch,
    carriers=(),
    is_client=True,
    under={"subway": ("DLV.1",)},
)

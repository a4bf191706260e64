from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.http.server import HttpNode


def push(push: Any, self: Any, user: str, entry: Any, except_connection: Any = None) -> None:
    if entry.sender != user:
        push(self, user, entry, except_connection)


def patch() -> None:
    around(HttpNode, "push", push)


MUTANT = Mutant(
    "polls_not_woken_by_own_messages",
    breaks=("WAY.2",),
    story="what the user sent from another device wakes no poll of his",
    patch=patch,
)

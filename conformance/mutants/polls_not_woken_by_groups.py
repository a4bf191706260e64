from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.names import is_group
from refserver.access.http.server import HttpNode


def push(push: Any, self: Any, user: str, entry: Any, except_connection: Any = None) -> None:
    if not is_group(entry.conversation):
        push(self, user, entry, except_connection)


def patch() -> None:
    around(HttpNode, "push", push)


MUTANT = Mutant(
    "polls_not_woken_by_groups",
    breaks=("WAY.2",),
    story="a message in a group wakes connections only",
    patch=patch,
)

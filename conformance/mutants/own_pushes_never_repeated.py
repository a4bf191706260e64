from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.node import AccessNode


def push_to(push_to: Any, self: Any, connection: Any, entry: Any, frame: bytes, now: float) -> None:
    if entry.sender == connection.presence.user:
        self.lines.send(connection, frame)
    else:
        push_to(self, connection, entry, frame, now)


def patch() -> None:
    around(AccessNode, "_push_to", push_to)


MUTANT = Mutant(
    "own_pushes_never_repeated",
    breaks=("DLV.3",),
    story="what the user sent himself is pushed to his other devices once",
    patch=patch,
)

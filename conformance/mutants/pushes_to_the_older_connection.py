from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.node import AccessNode


def push_to(push_to: Any, self: Any, connection: Any, *push: Any) -> None:
    same = [each for each in connection.presence.devices() if each.device == connection.device]
    if same[0] is connection:
        push_to(self, connection, *push)


def patch() -> None:
    around(AccessNode, "_push_to", push_to)
    around(AccessNode, "replaced", lambda replaced, self, *which: None)


MUTANT = Mutant(
    "pushes_to_the_older_connection",
    breaks=("HBT.2",),
    story="the connection that a device had first keeps its pushes",
    patch=patch,
)

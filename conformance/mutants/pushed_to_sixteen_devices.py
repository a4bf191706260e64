from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.node import AccessNode

_ROOM = 16


def push_to(push_to: Any, self: Any, connection: Any, *push: Any) -> None:
    if connection in connection.presence.devices()[:_ROOM]:
        push_to(self, connection, *push)


def patch() -> None:
    around(AccessNode, "_push_to", push_to)


MUTANT = Mutant(
    "pushed_to_sixteen_devices",
    breaks=("ROM.1",),
    story="there is room for sixteen devices of a user",
    patch=patch,
)

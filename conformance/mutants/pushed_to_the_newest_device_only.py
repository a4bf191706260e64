from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.node import AccessNode


def push_to(push_to: Any, self: Any, connection: Any, *push: Any) -> None:
    if connection is connection.presence.devices()[-1]:
        push_to(self, connection, *push)


def patch() -> None:
    around(AccessNode, "_push_to", push_to)


MUTANT = Mutant(
    "pushed_to_the_newest_device_only",
    breaks=("ROM.1",),
    story="a user has one connection: the newest",
    patch=patch,
)

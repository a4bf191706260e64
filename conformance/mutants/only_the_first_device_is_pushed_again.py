from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.node import AccessNode


def again(again: Any, self: Any, connection: Any, now: float) -> None:
    presence = connection.presence
    if presence is None or connection is presence.devices()[0]:
        again(self, connection, now)


def patch() -> None:
    around(AccessNode, "_push_again", again)


MUTANT = Mutant(
    "only_the_first_device_is_pushed_again",
    breaks=("DLV.3",),
    story="a push is repeated to one device of the user, the one that came first",
    patch=patch,
)

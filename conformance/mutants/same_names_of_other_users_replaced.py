from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol import frames
from protocol.messages import GoAway
from refserver.access.node import AccessNode


def replaced(_: Any, self: Any, user: str, device: str, except_connection: int | None) -> None:
    for each in self.lines.all():
        if each.device == device and each.presence is not None and each.number != except_connection:
            self.lines.finish(each, frames.encode(GoAway(reason="replaced")))


def patch() -> None:
    around(AccessNode, "replaced", replaced)


MUTANT = Mutant(
    "same_names_of_other_users_replaced",
    breaks=("ROM.5",),
    story="a device is known by its name, and names of other users count",
    patch=patch,
)

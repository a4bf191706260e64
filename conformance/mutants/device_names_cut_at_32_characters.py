from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol import frames
from protocol.messages import GoAway
from refserver.access.connection import State
from refserver.access.node import AccessNode

_KEPT = 32


def replaced(_: Any, self: Any, user: str, device: str, except_connection: int | None) -> None:
    presence = self._users.get(user)
    for each in presence.devices() if presence is not None else ():
        older = each.state is State.READY and each.number != except_connection
        if older and each.device[:_KEPT] == device[:_KEPT]:
            self.lines.finish(each, frames.encode(GoAway(reason="replaced")))


def patch() -> None:
    around(AccessNode, "replaced", replaced)


MUTANT = Mutant(
    "device_names_cut_at_32_characters",
    breaks=("ROM.5",),
    story="of a device's name the first 32 characters are kept",
    patch=patch,
)

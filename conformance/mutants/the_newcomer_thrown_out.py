from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol import frames
from protocol.messages import GoAway
from refserver.access.node import AccessNode


def replaced(_: Any, self: Any, user: str, device: str, except_connection: int | None) -> None:
    presence = self._users.get(user)
    same = [each for each in presence.devices() if each.device == device] if presence is not None else []
    for each in same[1:]:
        self.lines.finish(each, frames.encode(GoAway(reason="replaced")))


def patch() -> None:
    around(AccessNode, "replaced", replaced)


MUTANT = Mutant(
    "the_newcomer_thrown_out",
    breaks=("ROM.5",),
    story="of two connections of a device the wrong one is replaced",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.node import AccessNode


def replaced(_: Any, self: Any, user: str, device: str, except_connection: int | None) -> None:
    presence = self._users.get(user)
    for each in presence.devices() if presence is not None else ():
        if each.device == device and each.number != except_connection:
            self.lines.finish(each)


def patch() -> None:
    around(AccessNode, "replaced", replaced)


MUTANT = Mutant(
    "replaced_without_a_word",
    breaks=("ROM.5",),
    story="the old connection is closed and not told why",
    patch=patch,
)

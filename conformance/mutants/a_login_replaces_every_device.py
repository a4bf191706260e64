from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.node import AccessNode


def replaced(replaced: Any, self: Any, user: str, device: str, except_connection: int | None) -> None:
    presence = self._users.get(user)
    for each in presence.devices() if presence is not None else ():
        replaced(self, user, each.device, except_connection)


def patch() -> None:
    around(AccessNode, "replaced", replaced)


MUTANT = Mutant(
    "a_login_replaces_every_device",
    breaks=("ROM.1",),
    story="the newest login ends all others of the user",
    patch=patch,
)

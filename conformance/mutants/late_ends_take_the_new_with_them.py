from typing import Any

import gevent

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.node import AccessNode

_LATE_S = 2.0


def replaced(replaced: Any, self: Any, user: str, device: str, except_connection: Any) -> None:
    def sign_off() -> None:
        presence = self._users.get(user)
        for each in presence.devices() if presence is not None else ():
            if each.device == device:
                self._users.leave(presence, each)

    before = self.lines.count
    presence = self._users.get(user)
    held = [each for each in presence.devices() if each.device == device] if presence is not None else []
    replaced(self, user, device, except_connection)
    if len(held) > 1 and before:
        gevent.spawn_later(_LATE_S, sign_off)


def patch() -> None:
    around(AccessNode, "replaced", replaced)


MUTANT = Mutant(
    "late_ends_take_the_new_with_them",
    breaks=("ROM.5",),
    story="the end of a replaced connection is noticed late, and signs off the device whoever holds it then",
    patch=patch,
)

from typing import Any

import gevent

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.business import Business

_LATER_S = 0.02


def attach(_: Any, self: Any, node: Any, connection: int, user: str, device: str) -> None:
    self._logins.put((node, connection, user, device))
    gevent.spawn_later(_LATER_S, self._presence.add, user, node)


def patch() -> None:
    around(Business, "attach", attach)


MUTANT = Mutant(
    "logins_registered_after_their_answer",
    breaks=("DLV.5",),
    story="a device is told its version first and registered for pushes later",
    patch=patch,
)

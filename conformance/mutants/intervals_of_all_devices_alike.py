from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.node import AccessNode


def beat(beat: Any, self: Any, connection: Any, ping: Any) -> None:
    beat(self, connection, ping)
    share(self, connection)


def login(login: Any, self: Any, connection: Any, message: Any) -> None:
    login(self, connection, message)
    share(self, connection)


def share(self: Any, connection: Any) -> None:
    for each in connection.presence.devices() if connection.presence is not None else ():
        each.heartbeat_s = connection.heartbeat_s
        self._deadlines.watch(each)


def patch() -> None:
    around(AccessNode, "_beat", beat)
    around(AccessNode, "_login", login)


MUTANT = Mutant(
    "intervals_of_all_devices_alike",
    breaks=("HBT.3",),
    story="the interval is kept with the user: what one device asks for holds for all",
    patch=patch,
)

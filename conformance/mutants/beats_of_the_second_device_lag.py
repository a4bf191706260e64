from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol import frames
from protocol.messages import Pong
from refserver.access.node import AccessNode


def patch() -> None:
    told: dict[int, int] = {}

    def attached(attached: Any, self: Any, connection: int, newest: int) -> None:
        told[connection] = newest
        attached(self, connection, newest)

    def pong(_: Any, self: Any, connection: Any) -> bytes:
        presence = connection.presence
        is_first = connection is presence.devices()[0]
        newest = presence.newest if is_first else told[connection.number]
        return frames.encode(Pong(newest, connection.heartbeat_s))

    around(AccessNode, "attached", attached)
    around(AccessNode, "_pong", pong)


MUTANT = Mutant(
    "beats_of_the_second_device_lag",
    breaks=("DLV.5",),
    story="the version for PONG is kept with the first connection of a user",
    patch=patch,
)

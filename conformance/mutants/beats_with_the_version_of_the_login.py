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
        return frames.encode(Pong(told[connection.number], connection.heartbeat_s))

    around(AccessNode, "attached", attached)
    around(AccessNode, "_pong", pong)


MUTANT = Mutant(
    "beats_with_the_version_of_the_login",
    breaks=("DLV.5",),
    story="PONG tells the version that was newest at login",
    patch=patch,
)

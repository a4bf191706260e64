from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import acknowledged, around
from protocol import frames
from protocol.messages import Pong
from refserver.access.node import AccessNode


def patch() -> None:
    reached: dict[int, int] = {}

    def tell(connection: Any, version: int) -> None:
        reached[connection.number] = version

    def pong(_: Any, self: Any, connection: Any) -> bytes:
        return frames.encode(Pong(reached.get(connection.number, 0), connection.heartbeat_s))

    acknowledged(tell)
    around(AccessNode, "_pong", pong)


MUTANT = Mutant(
    "beats_with_what_was_acknowledged",
    breaks=("DLV.5",),
    story="PONG tells how far the device is and not how far it should be",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol import frames
from protocol.messages import Pong
from refserver.access.node import AccessNode


def pong(_: Any, self: Any, connection: Any) -> bytes:
    return frames.encode(Pong(connection.presence.newest + 1, connection.heartbeat_s))


def patch() -> None:
    around(AccessNode, "_pong", pong)


MUTANT = Mutant(
    "beats_ahead_of_the_inbox",
    breaks=("DLV.5",),
    story="PONG tells the version that will be given next",
    patch=patch,
)

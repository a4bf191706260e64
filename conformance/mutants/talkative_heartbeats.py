from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol import frames
from protocol.messages import Pong
from refserver.access.node import AccessNode


class LongPong(Pong, frozen=True):
    node: str = "access-0.example"
    load: float = 0.5


def pong(_: Any, self: Any, connection: Any) -> bytes:
    return frames.encode(LongPong(connection.presence.newest, connection.heartbeat_s))


def patch() -> None:
    around(AccessNode, "_pong", pong)


MUTANT = Mutant(
    "talkative_heartbeats",
    breaks=("HBT.5",),
    story="PONG carries whatever somebody found useful once",
    patch=patch,
)

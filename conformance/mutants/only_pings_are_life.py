from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.frames import EMPTY_PING
from refserver.access.connection import State
from refserver.access.node import AccessNode


def patch() -> None:
    life: dict[int, float] = {}

    def received(received: Any, self: Any, connection: Any, data: bytes, now: float) -> None:
        if EMPTY_PING in data or connection.state is not State.READY:
            life[connection.number] = now
        received(self, connection, data, now)
        if connection.state is State.READY:
            self.lines.seen[connection.fd] = life[connection.number]

    around(AccessNode, "received", received)


MUTANT = Mutant(
    "only_pings_are_life",
    breaks=("HBT.3",),
    story="a connection that asks and sends, but does not ping, is cleared",
    patch=patch,
)

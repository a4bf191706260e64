from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.node import AccessNode


def beat(beat: Any, self: Any, connection: Any, ping: Any) -> None:
    before = connection.heartbeat_s
    beat(self, connection, ping)
    connection.heartbeat_s = before


def patch() -> None:
    around(AccessNode, "_beat", beat)


MUTANT = Mutant(
    "interval_changes_only_confirmed",
    breaks=("HBT.4",),
    story="PONG agrees to an interval, and the deadline stays where it was",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.messages import Ping
from refserver.access.node import AccessNode


def beat(beat: Any, self: Any, connection: Any, ping: Ping) -> None:
    beat(self, connection, Ping())


def patch() -> None:
    around(AccessNode, "_beat", beat)


MUTANT = Mutant(
    "interval_changes_ignored",
    breaks=("HBT.4",),
    story="the interval of the login stays",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.node import AccessNode


def take(take: Any, self: Any, connection: Any, kind: int, body: bytes) -> None:
    take(self, connection, kind, body)
    if connection.window is not None:
        connection.window.acknowledge(2**63)


def patch() -> None:
    around(AccessNode, "_take", take)


MUTANT = Mutant(
    "any_frame_acknowledges",
    breaks=("DLV.3",),
    story="a client that says something is taken to have got everything",
    patch=patch,
)

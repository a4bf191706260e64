from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.node import AccessNode

_MOST = 256


def patch() -> None:
    pushed: dict[int, int] = {}

    def push_to(push_to: Any, self: Any, connection: Any, *push: Any) -> None:
        pushed[connection.number] = pushed.get(connection.number, 0) + 1
        if pushed[connection.number] <= _MOST:
            push_to(self, connection, *push)

    around(AccessNode, "_push_to", push_to)


MUTANT = Mutant(
    "pushes_stop_after_256",
    breaks=("CHN.2",),
    story="a connection is pushed 256 messages, and has to pull what comes then",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.names import is_group
from refserver.access.node import AccessNode


def patch() -> None:
    at_once = AccessNode._push_to
    gathered: dict[int, list[Any]] = {}

    def push_to(push_to: Any, self: Any, connection: Any, entry: Any, *push: Any) -> None:
        if is_group(entry.conversation):
            gathered.setdefault(connection.number, []).append((entry, *push))
        else:
            push_to(self, connection, entry, *push)

    def pong(pong: Any, self: Any, connection: Any) -> Any:
        for each in gathered.pop(connection.number, ()):
            at_once(self, connection, *each)
        return pong(self, connection)

    around(AccessNode, "_push_to", push_to)
    around(AccessNode, "_pong", pong)


MUTANT = Mutant(
    "group_pushes_wait_for_a_heartbeat",
    breaks=("CHN.2",),
    story="what is said in groups is gathered, and goes out with the next PONG",
    patch=patch,
)

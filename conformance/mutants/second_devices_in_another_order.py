from typing import Any

import gevent

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.node import AccessNode

_HELD_S = 0.05


def patch() -> None:
    held: dict[int, tuple[Any, ...]] = {}

    def push_to(push_to: Any, self: Any, connection: Any, *push: Any) -> None:
        if connection is connection.presence.devices()[0]:
            push_to(self, connection, *push)
        elif connection.number in held:
            push_to(self, connection, *push)
            let_go(push_to, self, connection)
        else:
            held[connection.number] = push
            gevent.spawn_later(_HELD_S, let_go, push_to, self, connection)

    def let_go(push_to: Any, self: Any, connection: Any) -> None:
        push = held.pop(connection.number, None)
        if push is not None and self.lines.get(connection.number) is not None:
            push_to(self, connection, *push)

    around(AccessNode, "_push_to", push_to)


MUTANT = Mutant(
    "second_devices_in_another_order",
    breaks=("ORD.1",),
    story="each device has a queue of its own, and only the first one keeps the order",
    patch=patch,
)

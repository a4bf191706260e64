from typing import Any

import gevent

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.node import AccessNode


def patch() -> None:
    def attached(attached: Any, self: Any, number: int, newest: int) -> None:
        attached(self, number, newest)
        connection = self.lines.get(number)
        if connection is not None:
            gevent.spawn_later(1.5 * connection.heartbeat_s + 1, end, self, number)

    def end(self: Any, number: int) -> None:
        connection = self.lines.get(number)
        if connection is not None:
            self.lines.close(connection)

    around(AccessNode, "attached", attached)


MUTANT = Mutant(
    "cleared_by_the_clock",
    breaks=("HBT.3",),
    story="a connection has a time to live, whatever it says",
    patch=patch,
)

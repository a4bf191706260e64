import time
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.deadlines import Deadlines


def check(check: Any, self: Any, connection: Any, now: float) -> None:
    if connection.out is not None:
        self._lines.seen[connection.fd] = time.monotonic()
    check(self, connection, now)


def patch() -> None:
    around(Deadlines, "_check", check)


MUTANT = Mutant(
    "blocked_connections_never_cleared",
    breaks=("HBT.1",),
    story="a connection with something to be written is the writer's business",
    patch=patch,
)

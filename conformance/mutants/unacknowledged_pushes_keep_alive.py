from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.deadlines import Deadlines


def check(check: Any, self: Any, connection: Any, now: float) -> None:
    if connection.window is not None and len(connection.window):
        self._lines.seen[connection.fd] = now
    check(self, connection, now)


def patch() -> None:
    around(Deadlines, "_check", check)


MUTANT = Mutant(
    "unacknowledged_pushes_keep_alive",
    breaks=("HBT.1",),
    story="a connection with pushes under way is given time to acknowledge them",
    patch=patch,
)

import time
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.connection import State
from refserver.access.deadlines import Deadlines


def check(check: Any, self: Any, connection: Any, now: float) -> None:
    if connection.state is State.READY and connection.buffer is not None:
        self._lines.seen[connection.fd] = time.monotonic()
    check(self, connection, now)


def patch() -> None:
    around(Deadlines, "_check", check)


MUTANT = Mutant(
    "half_a_frame_keeps_alive",
    breaks=("HBT.1",),
    story="a connection in the middle of a frame is busy, and who is busy is not cleared",
    patch=patch,
)

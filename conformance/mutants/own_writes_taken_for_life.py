import time
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.lines import Lines


def write(write: Any, self: Any, connection: Any) -> None:
    write(self, connection)
    self.seen[connection.fd] = time.monotonic()


def patch() -> None:
    around(Lines, "_write", write)


MUTANT = Mutant(
    "own_writes_taken_for_life",
    breaks=("HBT.1",),
    story="whatever moves on a connection proves it alive, also what the server writes",
    patch=patch,
)

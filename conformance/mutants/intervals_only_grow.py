from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.deadlines import Deadlines


def deadline(deadline: Any, self: Any, connection: Any) -> float:
    longest[connection.number] = max(longest.get(connection.number, 0), connection.heartbeat_s)
    kept, connection.heartbeat_s = connection.heartbeat_s, longest[connection.number]
    try:
        return float(deadline(self, connection))
    finally:
        connection.heartbeat_s = kept


longest: dict[int, int] = {}


def patch() -> None:
    around(Deadlines, "_deadline", deadline)


MUTANT = Mutant(
    "intervals_only_grow",
    breaks=("HBT.4",),
    story="a shorter interval than the present one is confirmed, and the longer one kept",
    patch=patch,
)

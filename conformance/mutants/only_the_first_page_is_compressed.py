from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.messages import Pulled
from refserver.access.node import AccessNode


def patch() -> None:
    def reply(reply: Any, self: Any, connection: int, message: Any) -> None:
        held = self.lines.get(connection)
        if held is not None and held.zstd and isinstance(message, Pulled):
            seen = told.get(connection, 0)
            told[connection] = seen + 1
            if seen:
                held.zstd = False
                reply(self, connection, message)
                held.zstd = True
                return
        reply(self, connection, message)

    told: dict[int, int] = {}
    around(AccessNode, "reply", reply)


MUTANT = Mutant(
    "only_the_first_page_is_compressed",
    breaks=("ROM.3",),
    story="the first page of a backlog is compressed, the others go out as they are",
    patch=patch,
)

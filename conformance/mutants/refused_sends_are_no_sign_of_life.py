from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.messages import Error
from refserver.access.node import AccessNode


def patch() -> None:
    life: dict[int, float] = {}

    def take(take: Any, self: Any, connection: Any, kind: int, body: bytes) -> None:
        life.setdefault(connection.number, self.lines.seen[connection.fd])
        take(self, connection, kind, body)

    def reply(reply: Any, self: Any, connection: int, message: Any) -> None:
        held = self.lines.get(connection)
        if held is not None and isinstance(message, Error):
            self.lines.seen[held.fd] = life[connection]
        elif held is not None:
            life[connection] = self.lines.seen[held.fd]
        reply(self, connection, message)

    around(AccessNode, "_take", take)
    around(AccessNode, "reply", reply)


MUTANT = Mutant(
    "refused_sends_are_no_sign_of_life",
    breaks=("HBT.3",),
    story="what is refused is treated as if it had never come",
    patch=patch,
)

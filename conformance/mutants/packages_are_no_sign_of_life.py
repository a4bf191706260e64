from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.messages import SendPackage
from refserver.access.node import AccessNode


def patch() -> None:
    life: dict[int, float] = {}

    def take(take: Any, self: Any, connection: Any, kind: int, body: bytes) -> None:
        seen = self.lines.seen
        if kind == SendPackage.TYPE:
            seen[connection.fd] = life.get(connection.number, seen[connection.fd])
        life[connection.number] = seen[connection.fd]
        take(self, connection, kind, body)

    around(AccessNode, "_take", take)


MUTANT = Mutant(
    "packages_are_no_sign_of_life",
    breaks=("HBT.3",),
    story="each handler counts its frames as life, and that of packages, which is newer, does not",
    patch=patch,
)

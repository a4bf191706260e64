from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.node import AccessNode


def patch() -> None:
    claimed: dict[int, int] = {}

    def login(login: Any, self: Any, connection: Any, message: Any) -> None:
        claimed[connection.number] = message.version
        login(self, connection, message)

    def attached(attached: Any, self: Any, connection: int, newest: int) -> None:
        attached(self, connection, max(newest, claimed.get(connection, 0)))

    around(AccessNode, "_login", login)
    around(AccessNode, "attached", attached)


MUTANT = Mutant(
    "login_believes_the_device",
    breaks=("DLV.4", "DLV.5"),
    story="a device that says it has more than there is moves the newest version",
    patch=patch,
)

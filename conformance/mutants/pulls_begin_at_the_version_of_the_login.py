from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.messages import Pull
from refserver.access.node import AccessNode


def patch() -> None:
    claimed: dict[int, int] = {}

    def login(login: Any, self: Any, connection: Any, message: Any) -> None:
        claimed[connection.number] = message.version
        login(self, connection, message)

    def request(request: Any, self: Any, connection: Any, message: Any) -> None:
        if isinstance(message, Pull):
            message = replace(message, after=max(message.after, claimed[connection.number]))
        request(self, connection, message)

    around(AccessNode, "_login", login)
    around(AccessNode, "_request", request)


MUTANT = Mutant(
    "pulls_begin_at_the_version_of_the_login",
    breaks=("DLV.4",),
    story="what a device said at its login counts more than what it asks for",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol import frames
from protocol.messages import GoAway
from refserver.access.connection import State
from refserver.access.node import AccessNode


def patch() -> None:
    def replaced(_: Any, self: Any, user: str, device: str, except_connection: int | None) -> None:
        presence = self._users.get(user)
        kind = of(self, except_connection)
        for each in presence.devices() if presence is not None else ():
            other = each.state is State.READY and each.number != except_connection
            if other and each.device == device and of(self, each.number) == kind:
                self.lines.finish(each, frames.encode(GoAway(reason="replaced")))

    def of(self: Any, number: int | None) -> str:
        connection = self.lines.get(number) if number is not None else None
        carrier = self.lines._carried.get(connection.fd) if connection is not None else None
        return type(carrier).__name__

    around(AccessNode, "replaced", replaced)


MUTANT = Mutant(
    "ws_logins_replace_only_websockets",
    breaks=("ROM.5",),
    story="each kind of listener knows its own connections, and replaces no others",
    patch=patch,
    carriers=("ws",),
)

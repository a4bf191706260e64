from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.messages import Error
from refserver.access.node import AccessNode


def reply(reply: Any, self: Any, connection: int, message: Any) -> None:
    held = self.lines.get(connection)
    if isinstance(message, Error) and held is not None:
        self._fail(held, message.code, message.text)
    else:
        reply(self, connection, message)


def patch() -> None:
    around(AccessNode, "reply", reply)


MUTANT = Mutant(
    "refusals_end_the_connection",
    breaks=("DLV.8",),
    story="whoever is refused once is thrown out",
    patch=patch,
)

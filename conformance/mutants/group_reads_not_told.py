from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.names import is_group
from refserver.access.node import AccessNode


def tell(tell: Any, self: Any, user: str, message: Any, except_connection: int | None) -> None:
    if not is_group(message.conversation):
        tell(self, user, message, except_connection)


def patch() -> None:
    around(AccessNode, "tell", tell)


MUTANT = Mutant(
    "group_reads_not_told",
    breaks=("UNR.4",),
    story="a read in a group stays on the device that reads",
    patch=patch,
)

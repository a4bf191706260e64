from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol import frames
from refserver.access.connection import State
from refserver.access.node import AccessNode


def tell(_: Any, self: Any, user: str, message: Any, except_connection: int | None) -> None:
    presence = self._users.get(user)
    others = [
        each
        for each in (presence.devices() if presence is not None else ())
        if each.state is State.READY and each.number != except_connection
    ]
    for each in others[:1]:
        self.lines.send(each, frames.encode(message))


def patch() -> None:
    around(AccessNode, "tell", tell)


MUTANT = Mutant(
    "reads_told_to_one_other_device",
    breaks=("UNR.4",),
    story="a user is taken to have two devices: the one that reads and the other",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.node import AccessNode


def push(push: Any, self: Any, user: str, entry: Any, except_connection: int | None = None) -> None:
    presence = self._users.get(user)
    newest = presence.newest if presence is not None else 0
    push(self, user, entry, except_connection)
    if presence is not None and entry.sender == user:
        presence.newest = newest


def patch() -> None:
    around(AccessNode, "push", push)


MUTANT = Mutant(
    "own_messages_do_not_move_the_heartbeat",
    breaks=("DLV.5",),
    story="PONG counts what was received, not what another device of the user sent",
    patch=patch,
)

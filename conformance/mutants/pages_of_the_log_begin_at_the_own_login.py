from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.messages import Pulled
from refserver.access.node import AccessNode


def patch() -> None:
    first_seen: dict[tuple[str, str], int] = {}

    def attached(attached: Any, self: Any, connection: int, newest: int) -> None:
        held = self.lines.get(connection)
        if held is not None and held.presence is not None:
            first_seen.setdefault((held.presence.user, held.device), newest)
        attached(self, connection, newest)

    def reply(reply: Any, self: Any, connection: int, message: Any) -> None:
        held = self.lines.get(connection)
        if isinstance(message, Pulled) and held is not None and held.presence is not None:
            since = first_seen[held.presence.user, held.device]
            message = replace(message, entries=[e for e in message.entries if e.version > since])
        reply(self, connection, message)

    around(AccessNode, "attached", attached)
    around(AccessNode, "reply", reply)


MUTANT = Mutant(
    "pages_of_the_log_begin_at_the_own_login",
    breaks=("ROM.2",),
    story="a device is given what came since it was first seen",
    patch=patch,
)

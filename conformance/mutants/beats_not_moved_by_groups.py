from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol import frames
from protocol.messages import Pong
from protocol.names import is_group
from refserver.access.node import AccessNode


def patch() -> None:
    behind: dict[str, int] = {}

    def push(push: Any, self: Any, user: str, entry: Any, except_connection: Any = None) -> None:
        push(self, user, entry, except_connection)
        behind[user] = behind.get(user, 0) + 1 if is_group(entry.conversation) else 0

    def pong(_: Any, self: Any, connection: Any) -> bytes:
        presence = connection.presence
        newest = presence.newest - behind.get(presence.user, 0)
        return frames.encode(Pong(newest, connection.heartbeat_s))

    around(AccessNode, "push", push)
    around(AccessNode, "_pong", pong)


MUTANT = Mutant(
    "beats_not_moved_by_groups",
    breaks=("DLV.5",),
    story="the version that PONG tells is that of messages between two",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol import frames
from protocol.messages import PackageSent, Pong
from refserver.access.node import AccessNode
from refserver.business.planning import Plan


def patch() -> None:
    later: set[int] = set()
    behind: dict[str, int] = {}

    def accept(accept: Any, self: Any, request: Any, items: Any) -> Any:
        answer = accept(self, request, items)
        if isinstance(answer, PackageSent):
            later.update(placed.mid for placed in answer.placed[1:])
        return answer

    def push(push: Any, self: Any, user: str, entry: Any, except_connection: Any = None) -> None:
        push(self, user, entry, except_connection)
        behind[user] = behind.get(user, 0) + 1 if entry.mid in later else 0

    def pong(_: Any, self: Any, connection: Any) -> bytes:
        presence = connection.presence
        newest = presence.newest - behind.get(presence.user, 0)
        return frames.encode(Pong(newest, connection.heartbeat_s))

    around(Plan, "_accept", accept)
    around(AccessNode, "push", push)
    around(AccessNode, "_pong", pong)


MUTANT = Mutant(
    "beats_count_packages_as_one",
    breaks=("DLV.5",),
    story="a package moves the version that PONG tells by one",
    patch=patch,
)

from collections.abc import Callable
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, conversation_of
from refserver.business.committing import Committer
from refserver.business.planning import Plan


def patch() -> None:
    present: list[Callable[[str], int]] = []

    def look(plan: Any, self: Any, batch: Any) -> Any:
        present[:] = [self._presence.connections_of]
        return plan(self, batch)

    def accept(accept: Any, self: Any, request: Any, items: Any) -> Any:
        conversation = conversation_of(self, request)
        members = conversation.members
        conversation.members = [user for user in members if user == request.user or present[0](user)]
        try:
            return accept(self, request, items)
        finally:
            conversation.members = members

    around(Committer, "_plan", look)
    around(Plan, "_accept", accept)


MUTANT = Mutant(
    "absent_recipients_forgotten",
    breaks=("DLV.1", "ROM.2"),
    story="messages go to who is connected; nothing is kept for the others",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, conversation_of
from protocol.names import is_group
from refserver.business.committing import Committer
from refserver.business.planning import Plan


def patch() -> None:
    present: list[str] = []

    def look(plan: Any, self: Any, batch: Any) -> Any:
        present[:] = list(self._presence._places)
        return plan(self, batch)

    def accept(accept: Any, self: Any, request: Any, items: Any) -> Any:
        conversation = conversation_of(self, request)
        members = conversation.members
        if is_group(conversation.name):
            known = [user for user in present if self._memory.versions.get(user) is not None]
            conversation.members = list(dict.fromkeys([*members, *known]))
        try:
            return accept(self, request, items)
        finally:
            conversation.members = members

    around(Committer, "_plan", look)
    around(Plan, "_accept", accept)


MUTANT = Mutant(
    "group_messages_to_everybody",
    breaks=("DLV.1",),
    story="whoever is connected gets what is said in groups",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, conversation_of
from refserver.business.planning import Plan


def accept(accept: Any, self: Any, request: Any, items: Any) -> Any:
    conversation = conversation_of(self, request)
    members = conversation.members
    conversation.members = list(dict.fromkeys([*members, request.user]))
    try:
        return accept(self, request, items)
    finally:
        conversation.members = members


def refusal(refusal: Any, self: Any, *request: Any) -> Any:
    found = refusal(self, *request)
    return None if found and "not a member" in found[1] else found


def patch() -> None:
    around(Plan, "_refusal", refusal)
    around(Plan, "_accept", accept)


MUTANT = Mutant(
    "outsiders_may_write_to_groups",
    breaks=("DLV.8",),
    story="who knows the id of a group may write to it",
    patch=patch,
)

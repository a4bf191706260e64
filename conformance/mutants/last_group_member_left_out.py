from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, conversation_of
from protocol.names import is_group
from refserver.business.planning import Plan


def accept(accept: Any, self: Any, request: Any, items: Any) -> Any:
    conversation = conversation_of(self, request)
    members = conversation.members
    if is_group(conversation.name) and request.user != max(members):
        conversation.members = sorted(members)[:-1]
    try:
        return accept(self, request, items)
    finally:
        conversation.members = members


def patch() -> None:
    around(Plan, "_accept", accept)


MUTANT = Mutant(
    "last_group_member_left_out",
    breaks=("DLV.1",),
    story="fan-out ends one too early",
    patch=patch,
)

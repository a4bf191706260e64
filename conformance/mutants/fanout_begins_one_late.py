from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, conversation_of
from protocol.names import is_group
from refserver.business.planning import Plan


def accept(accept: Any, self: Any, request: Any, items: Any) -> Any:
    conversation = conversation_of(self, request)
    whole = conversation.members
    if is_group(conversation.name) and request.user != min(whole):
        conversation.members = [each for each in whole if each != min(whole)]
    try:
        return accept(self, request, items)
    finally:
        conversation.members = whole


def patch() -> None:
    around(Plan, "_accept", accept)


MUTANT = Mutant(
    "fanout_begins_one_late",
    breaks=("DLV.1",),
    story="the first member of a group is taken for the one who writes",
    patch=patch,
)

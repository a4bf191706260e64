from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, conversation_of
from refserver.business.planning import Plan


def patch() -> None:
    ahead: set[str] = set()

    def accept(accept: Any, self: Any, request: Any, items: Any) -> Any:
        conversation = conversation_of(self, request)
        sequence, name = conversation.sequence, conversation.name
        if name in ahead:
            answer = accept(self, request, items)
            conversation.sequence = sequence + 2
            ahead.discard(name)
        else:
            conversation.sequence = sequence + 1
            answer = accept(self, request, items)
            conversation.sequence = sequence
            ahead.add(name)
        return answer

    around(Plan, "_accept", accept)


MUTANT = Mutant(
    "places_swapped_in_pairs",
    breaks=("ORD.1", "ORD.2", "ORD.3"),
    story="two workers take messages of one conversation, and the second is faster",
    patch=patch,
)

from collections import Counter
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.messages import Sent
from refserver.business.planning import Plan


def patch() -> None:
    counts: Counter[tuple[str, str]] = Counter()

    def accept(accept: Any, self: Any, request: Any, items: Any) -> Any:
        answer = accept(self, request, items)
        key = (request.user, answer.conversation)
        counts[key] += 1
        return replace(answer, sequence=counts[key]) if isinstance(answer, Sent) else answer

    around(Plan, "_accept", accept)


MUTANT = Mutant(
    "sequences_by_sender",
    breaks=("ORD.1",),
    story="SENT numbers the messages of the sender and not of the conversation",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from refserver.business.planning import Plan


def read(read: Any, self: Any, request: Any, message: Any) -> Any:
    state = self._loaded.reads.get((request.user, message.conversation, message.sequence))
    answer = read(self, request, message)
    if state is not None and message.sequence > state.newest:
        return replace(answer, unread=state.newest - message.sequence)
    return answer


def patch() -> None:
    around(Plan, "_read_up_to", read)


MUTANT = Mutant(
    "counts_below_zero",
    breaks=("UNR.2",),
    story="a read lowers the count by as much as the point moves",
    patch=patch,
)

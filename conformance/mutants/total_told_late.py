from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.messages import ReadUpdate
from refserver.business.planning import Plan


def read(read: Any, self: Any, request: Any, message: Any) -> Any:
    answer = read(self, request, message)
    if isinstance(answer, ReadUpdate):
        return replace(answer, total_unread=answer.total_unread + 1)
    return answer


def patch() -> None:
    around(Plan, "_read_up_to", read)


MUTANT = Mutant(
    "total_told_late",
    breaks=("UNR.2",),
    story="READ_UPDATE tells the total from before the read",
    patch=patch,
)

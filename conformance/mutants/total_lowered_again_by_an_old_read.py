from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.messages import ReadUpdate
from refserver.business.planning import Plan


def read(read: Any, self: Any, request: Any, message: Any) -> Any:
    told = len(self.tells)
    answer = read(self, request, message)
    if isinstance(answer, ReadUpdate) and len(self.tells) == told:
        return replace(answer, total_unread=max(answer.total_unread - 1, 0))
    return answer


def patch() -> None:
    around(Plan, "_read_up_to", read)


MUTANT = Mutant(
    "total_lowered_again_by_an_old_read",
    breaks=("UNR.2",),
    story="a READ that changes nothing still lowers the total",
    patch=patch,
)

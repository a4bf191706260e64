from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.planning import Plan


def read(read: Any, self: Any, request: Any, message: Any) -> Any:
    answer = read(self, request, message)
    touched = self._touched.get(message.conversation)
    if touched is not None:
        touched.count = 0
    return answer


def patch() -> None:
    around(Plan, "_read_up_to", read)


MUTANT = Mutant(
    "a_read_clears_what_crosses_it",
    breaks=("UNR.2",),
    story="a READ is stored as a count of nought, also over what came in between",
    patch=patch,
)

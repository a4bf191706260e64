from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from refserver.business.planning import Plan


def read(read: Any, self: Any, request: Any, message: Any) -> Any:
    key = (request.user, message.conversation, message.sequence)
    state = self._loaded.reads.get(key)
    if state is not None:
        self._loaded.reads[key] = replace(state, newest=max(state.newest, message.sequence))
    return read(self, request, message)


def patch() -> None:
    around(Plan, "_read_up_to", read)


MUTANT = Mutant(
    "read_point_beyond_the_newest_kept",
    breaks=("UNR.2",),
    story="a point that is not there yet is kept, and what comes below it cannot be read",
    patch=patch,
)

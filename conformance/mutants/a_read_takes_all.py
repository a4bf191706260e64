from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from refserver.business.planning import Plan


def read(read: Any, self: Any, request: Any, message: Any) -> Any:
    key = (request.user, message.conversation, message.sequence)
    state = self._loaded.reads.get(key)
    if state is not None:
        self._loaded.reads[key] = replace(state, beyond=0)
    return read(self, request, message)


def patch() -> None:
    around(Plan, "_read_up_to", read)


MUTANT = Mutant(
    "a_read_takes_all",
    breaks=("UNR.2",),
    story="READ clears the conversation, whatever point it names",
    patch=patch,
)

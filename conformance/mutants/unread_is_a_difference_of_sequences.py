from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from refserver.business.planning import Plan


def read(read: Any, self: Any, request: Any, message: Any) -> Any:
    key = (request.user, message.conversation, message.sequence)
    state = self._loaded.reads.get(key)
    if state is not None:
        self._loaded.reads[key] = replace(state, beyond=max(state.newest - message.sequence, 0))
    return read(self, request, message)


def patch() -> None:
    around(Plan, "_read_up_to", read)


MUTANT = Mutant(
    "unread_is_a_difference_of_sequences",
    breaks=("UNR.2",),
    story="unread is the newest sequence less the read one, whoever wrote what is between",
    patch=patch,
)

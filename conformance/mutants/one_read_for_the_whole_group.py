from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.names import is_group
from refserver.business.planning import Plan


def read(read: Any, self: Any, request: Any, message: Any) -> Any:
    planned = len(self.rows.reads)
    answer = read(self, request, message)
    row = self.rows.reads[planned:]
    if row and is_group(message.conversation):
        for member in self._memory.conversations.get(message.conversation).members:
            self.rows.reads += [member, *row[1:]] if member != request.user else []
    return answer


def patch() -> None:
    around(Plan, "_read_up_to", read)


MUTANT = Mutant(
    "one_read_for_the_whole_group",
    breaks=("UNR.1",),
    story="the read point belongs to the group and not to the member",
    patch=patch,
)

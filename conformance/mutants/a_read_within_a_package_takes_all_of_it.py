from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.messages import PackageSent, Read
from refserver.business.committing import Committer
from refserver.business.planning import Plan


def patch() -> None:
    ends: dict[tuple[str, int], int] = {}

    def accept(accept: Any, self: Any, request: Any, items: Any) -> Any:
        answer = accept(self, request, items)
        if isinstance(answer, PackageSent):
            last = answer.placed[-1].sequence
            ends.update({(answer.conversation, placed.sequence): last for placed in answer.placed})
        return answer

    def take(put: Any, self: Any, request: Any) -> None:
        message = request.message
        if isinstance(message, Read):
            end = ends.get((message.conversation, message.sequence), message.sequence)
            request = request._replace(message=replace(message, sequence=end))
        put(self, request)

    around(Plan, "_accept", accept)
    around(Committer, "put", take)


MUTANT = Mutant(
    "a_read_within_a_package_takes_all_of_it",
    breaks=("UNR.2",),
    story="read is what was sent together",
    patch=patch,
)

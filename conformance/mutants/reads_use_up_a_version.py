from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.messages import ReadUpdate
from refserver.business.planning import Plan


def read(read: Any, self: Any, request: Any, message: Any) -> Any:
    answer = read(self, request, message)
    newest = self.versions.get(request.user) or self._memory.versions.get(request.user)
    if isinstance(answer, ReadUpdate) and newest is not None:
        self.versions[request.user] = newest + 1
    return answer


def patch() -> None:
    around(Plan, "_read_up_to", read)


MUTANT = Mutant(
    "reads_use_up_a_version",
    breaks=("DLV.4",),
    story="that something was read goes to the user's devices under a version of its own",
    patch=patch,
)

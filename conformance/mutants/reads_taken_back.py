from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from refserver.business.planning import Plan


def read(read: Any, self: Any, request: Any, message: Any) -> Any:
    self._read.clear()
    for key, state in self._loaded.reads.items():
        self._loaded.reads[key] = replace(state, read_sequence=-1)
    return read(self, request, message)


def patch() -> None:
    around(Plan, "_read_up_to", read)


MUTANT = Mutant(
    "reads_taken_back",
    breaks=("UNR.2",),
    story="the last READ counts, also if its point is older",
    patch=patch,
)

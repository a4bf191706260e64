from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.planning import Plan

_BLOCK = 100


def patch() -> None:
    seen: set[str] = set()

    def version(version: Any, self: Any, owner: str) -> int:
        newest: int = version(self, owner)
        if newest and owner not in seen:
            newest += _BLOCK
        seen.add(owner)
        return newest

    around(Plan, "_version", version)


MUTANT = Mutant(
    "versions_jump_at_restart",
    breaks=("DLV.4",),
    story="versions are drawn in blocks, and the rest of a block goes with a restart",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from refserver.storage import Storage


def patch() -> None:
    known: set[tuple[str, str]] = set()

    def load(load: Any, self: Any, wanted: Any, changes_seen: int) -> Any:
        changes, loaded = load(self, wanted, changes_seen)
        for key, state in loaded.reads.items() if loaded is not None else ():
            if key[:2] not in known:
                known.add(key[:2])
                loaded.reads[key] = replace(state, read_sequence=0)
        return changes, loaded

    around(Storage, "load", load)


MUTANT = Mutant(
    "read_points_forgotten_at_restart",
    breaks=("UNR.2",),
    story="counts are stored, and how far a user has read is kept in memory",
    patch=patch,
)

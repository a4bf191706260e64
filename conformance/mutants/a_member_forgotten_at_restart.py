from pathlib import Path
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.storage import Storage


def patch() -> None:
    lives: list[int] = []

    def opened(init: Any, self: Any, data_dir: Any) -> None:
        init(self, data_dir)
        diary = Path(data_dir) / "lives"
        lives.append(len(diary.read_text()) if diary.exists() else 0)
        diary.write_text("x" * (lives[-1] + 1))

    def load(load: Any, self: Any, wanted: Any, changes_seen: int) -> Any:
        changes, loaded = load(self, wanted, changes_seen)
        if loaded is not None and lives[-1]:
            for members in loaded.members.values():
                members.remove(max(members))
        return changes, loaded

    around(Storage, "__init__", opened)
    around(Storage, "load", load)


MUTANT = Mutant(
    "a_member_forgotten_at_restart",
    breaks=("ARC.3",),
    story="who joined a group last is in memory only",
    patch=patch,
)

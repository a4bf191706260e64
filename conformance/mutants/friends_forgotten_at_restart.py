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
            loaded.friends = {name for name in loaded.friends if loaded.newest_sequence.get(name) != 0}
        return changes, loaded

    around(Storage, "__init__", opened)
    around(Storage, "load", load)


MUTANT = Mutant(
    "friends_forgotten_at_restart",
    breaks=("ARC.3",),
    story="a friendship is looked up in a file that is written at an orderly end",
    patch=patch,
)

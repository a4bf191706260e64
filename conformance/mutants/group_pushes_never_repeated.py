from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.names import is_group
from refserver.access.window import Window


def add(add: Any, self: Any, entry: Any, size_bytes: int, now: float) -> None:
    if not is_group(entry.conversation):
        add(self, entry, size_bytes, now)


def patch() -> None:
    around(Window, "add", add)


MUTANT = Mutant(
    "group_pushes_never_repeated",
    breaks=("DLV.3",),
    story="in groups a push is sent once: there are too many to be remembered",
    patch=patch,
)

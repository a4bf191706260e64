from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business import planning


def remember(remember: Any, loaded: Any, memory: Any, friends_only: bool) -> None:
    remember(loaded, memory, False)


def patch() -> None:
    around(planning, "remember", remember)


MUTANT = Mutant(
    "strangers_may_write",
    breaks=("DLV.8",),
    story="friendship is checked by the client",
    patch=patch,
)

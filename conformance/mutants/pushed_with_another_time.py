from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.committing import Committer


def push(push: Any, self: Any, delivery: Any) -> None:
    push(self, delivery._replace(at_ms=delivery.at_ms + 1))


def patch() -> None:
    around(Committer, "_push", push)


MUTANT = Mutant(
    "pushed_with_another_time",
    breaks=("DLV.4", "STO.1"),
    story="each copy of a message is stamped by whoever makes it",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.http.server import HttpNode
from refserver.access.window import Window
from refserver.business.committing import Committer


def patch() -> None:
    posted: set[int] = set()

    def push(push: Any, self: Any, delivery: Any) -> None:
        if isinstance(delivery.request.node, HttpNode):
            posted.add(delivery.mid)
        push(self, delivery)

    def add(add: Any, self: Any, entry: Any, size_bytes: int, now: float) -> None:
        if entry.mid not in posted:
            add(self, entry, size_bytes, now)

    around(Committer, "_push", push)
    around(Window, "add", add)


MUTANT = Mutant(
    "posted_pushes_never_repeated",
    breaks=("DLV.3",),
    story="what came by a short request is pushed by another code, which knows no repeats",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.messages import PackageSent
from refserver.access.window import Window
from refserver.business.planning import Plan


def patch() -> None:
    items: set[int] = set()

    def accept(accept: Any, self: Any, request: Any, of: Any) -> Any:
        answer = accept(self, request, of)
        if isinstance(answer, PackageSent):
            items.update(placed.mid for placed in answer.placed)
        return answer

    def add(add: Any, self: Any, entry: Any, size_bytes: int, now: float) -> None:
        if entry.mid not in items:
            add(self, entry, size_bytes, now)

    around(Plan, "_accept", accept)
    around(Window, "add", add)


MUTANT = Mutant(
    "package_pushes_never_repeated",
    breaks=("DLV.3",),
    story="what comes as a package is pushed as a whole, and each item is repeated by nobody",
    patch=patch,
)

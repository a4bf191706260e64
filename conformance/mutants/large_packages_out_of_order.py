from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.planning import Plan

_PART_BYTES = 64 << 10


def patch() -> None:
    def accept(accept: Any, self: Any, request: Any, items: Any) -> Any:
        if sum(len(item.body) for item in items) > _PART_BYTES and len(items) > 2:
            items = [items[1], items[0], *items[2:]]
        return accept(self, request, items)

    around(Plan, "_accept", accept)


MUTANT = Mutant(
    "large_packages_out_of_order",
    breaks=("ORD.4",),
    story="a package of more than 64 KiB is stored in two parts, and they race",
    patch=patch,
)

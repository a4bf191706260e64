from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.node import AccessNode


def patch() -> None:
    around(AccessNode, "replaced", lambda replaced, self, *which: None)


MUTANT = Mutant(
    "old_connections_not_replaced",
    breaks=("ROM.5",),
    story="a device may be connected as often as it likes",
    patch=patch,
)

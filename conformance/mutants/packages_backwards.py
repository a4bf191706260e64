from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.planning import Plan


def patch() -> None:
    around(Plan, "_accept", lambda accept, self, request, items: accept(self, request, tuple(items)[::-1]))


MUTANT = Mutant(
    "packages_backwards",
    breaks=("ORD.4",),
    story="a package is unpacked from its end",
    patch=patch,
)

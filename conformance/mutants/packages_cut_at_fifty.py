from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.planning import Plan

_ROOM = 50


def patch() -> None:
    around(Plan, "_accept", lambda accept, self, request, items: accept(self, request, items[:_ROOM]))


MUTANT = Mutant(
    "packages_cut_at_fifty",
    breaks=("ORD.4",),
    story="a package has room for fifty, and the rest is dropped",
    patch=patch,
)

import itertools

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.planning import Plan


def patch() -> None:
    turn = itertools.count()
    around(Plan, "_version", lambda version, self, owner: version(self, owner) + (next(turn) % 7 == 6))


MUTANT = Mutant(
    "versions_skipped_now_and_then",
    breaks=("DLV.4",),
    story="a version is drawn before it is sure that it is used",
    patch=patch,
)

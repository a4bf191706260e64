from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, store_anew
from refserver.business.planning import Plan


def patch() -> None:
    around(Plan, "_send", store_anew)


MUTANT = Mutant(
    "no_repeat_recognised",
    breaks=("DLV.2",),
    story="no table of repeats: whatever comes is stored",
    patch=patch,
)

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import put
from refserver.access import window


def patch() -> None:
    put(window, "RETRANSMIT_ATTEMPTS", 2)


MUTANT = Mutant(
    "pushes_repeated_once",
    breaks=("DLV.3",),
    story="a push is given up after its first repeat",
    patch=patch,
)

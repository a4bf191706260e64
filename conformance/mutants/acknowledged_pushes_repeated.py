from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.window import Window


def patch() -> None:
    around(Window, "acknowledge", lambda acknowledge, self, version: None)


MUTANT = Mutant(
    "acknowledged_pushes_repeated",
    breaks=("DLV.3",),
    story="PUSHED is read and changes nothing",
    patch=patch,
)

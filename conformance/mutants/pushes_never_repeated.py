from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.window import Window


def patch() -> None:
    around(Window, "take_due", lambda take_due, self, now: [])


MUTANT = Mutant(
    "pushes_never_repeated",
    breaks=("DLV.3",),
    story="a push is sent once, and TCP is taken for delivery",
    patch=patch,
)

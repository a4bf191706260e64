from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.window import Window


def patch() -> None:
    around(Window, "acknowledge", lambda acknowledge, self, version: acknowledge(self, 2**63))


MUTANT = Mutant(
    "any_acknowledgement_covers_all",
    breaks=("DLV.3",),
    story="PUSHED ends all repeats, whatever version it names",
    patch=patch,
)

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.window import Window


def patch() -> None:
    around(Window, "acknowledge", lambda acknowledge, self, version: acknowledge(self, version or 2**62))


MUTANT = Mutant(
    "nothing_acknowledged_is_everything",
    breaks=("DLV.3",),
    story="PUSHED 0 is taken for a PUSHED without a version, and that for all",
    patch=patch,
)

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.node import AccessNode


def patch() -> None:
    around(AccessNode, "_fail", lambda fail, self, connection, code, text: self.lines.finish(connection))


MUTANT = Mutant(
    "hangs_up_on_malformed_frames",
    breaks=("DLV.8",),
    story="a frame that cannot be read ends the connection without a word",
    patch=patch,
)

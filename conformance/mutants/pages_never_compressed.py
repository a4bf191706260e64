from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol import frames


def patch() -> None:
    around(frames, "encode", lambda encode, message, compressed=False: encode(message))


MUTANT = Mutant(
    "pages_never_compressed",
    breaks=("ROM.3",),
    story="compression is negotiated and then not done",
    patch=patch,
)

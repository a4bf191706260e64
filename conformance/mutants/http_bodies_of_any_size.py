from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import put
from refserver.access.http import parsing


def patch() -> None:
    put(parsing, "MAX_BODY_BYTES", 1 << 40)


MUTANT = Mutant(
    "http_bodies_of_any_size",
    breaks=("SEC.6",),
    story="a body is kept as long as it comes, and looked at then",
    patch=patch,
)

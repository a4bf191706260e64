from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import put
from refserver.access.http import parsing


def patch() -> None:
    put(parsing, "MAX_HEADER_BYTES", 1 << 40)


MUTANT = Mutant(
    "http_headers_of_any_size",
    breaks=("SEC.6",),
    story="the header of a request has no bound",
    patch=patch,
)

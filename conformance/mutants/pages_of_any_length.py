from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import put
from refserver.storage import pages


def patch() -> None:
    put(pages, "MAX_PAGE_ENTRIES", 10**6)


MUTANT = Mutant(
    "pages_of_any_length",
    breaks=("DLV.4",),
    story="the limit that a client asks for is believed",
    patch=patch,
)

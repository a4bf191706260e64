from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import put
from refserver.storage import pages


def patch() -> None:
    put(pages, "MAX_PAGE_ENTRIES", 100)


MUTANT = Mutant(
    "backlogs_in_pages_of_a_hundred",
    breaks=("ROM.3",),
    story="pages are made for screens and not for backlogs",
    patch=patch,
)

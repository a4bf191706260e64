from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import put
from protocol.limits import MAX_PAGE_BYTES
from protocol.messages import History, Pull
from refserver.storage import pages


def patch() -> None:
    for kind in (Pull, History):
        question = pages.QUESTIONS[kind]
        fixed = {k: 2**40 if value == MAX_PAGE_BYTES else value for k, value in question._fixed.items()}
        put(question, "_fixed", fixed)


MUTANT = Mutant(
    "pages_larger_than_a_frame",
    breaks=("DLV.4", "STO.2"),
    story="pages are bounded in entries and not in bytes",
    patch=patch,
)

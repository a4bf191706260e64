from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import answered, replace
from protocol.messages import Pull


def patch() -> None:
    answered(Pull, lambda user, pull, page: replace(page, entries=page.entries[::-1]))


MUTANT = Mutant(
    "pull_newest_first",
    breaks=("DLV.4", "ROM.2"),
    story="pages come in the order of the history",
    patch=patch,
)

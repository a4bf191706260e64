from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import asked
from protocol.messages import Pull


def patch() -> None:
    asked(Pull, lambda user, pull: Pull(pull.after + 1, pull.limit))


MUTANT = Mutant(
    "pull_begins_one_late",
    breaks=("DLV.4", "ROM.2"),
    story="the first entry of every page is lost",
    patch=patch,
)

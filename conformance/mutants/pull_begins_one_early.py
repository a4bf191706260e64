from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import asked
from protocol.messages import Pull


def patch() -> None:
    asked(Pull, lambda user, pull: Pull(max(pull.after - 1, 0), pull.limit))


MUTANT = Mutant(
    "pull_begins_one_early",
    breaks=("DLV.4", "ROM.2"),
    story='"after" is taken for "from"',
    patch=patch,
)

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import asked
from protocol.messages import Pull


def patch() -> None:
    asked(Pull, lambda user, pull: Pull(pull.after + (pull.after > 0 and pull.after % 1000 == 0), pull.limit))


MUTANT = Mutant(
    "pulls_after_999_skip_one",
    breaks=("ROM.3",),
    story="the second page of a full thousand begins one too far",
    patch=patch,
)

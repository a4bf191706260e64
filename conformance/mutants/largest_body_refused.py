from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import put
from protocol.limits import MAX_MESSAGE_BODY_BYTES
from refserver.business import planning


def patch() -> None:
    put(planning, "MAX_MESSAGE_BODY_BYTES", MAX_MESSAGE_BODY_BYTES - 1)


MUTANT = Mutant(
    "largest_body_refused",
    breaks=("DLV.8",),
    story="the limit is taken for the first size that is too large",
    patch=patch,
)

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import put
from refserver.access import node


def patch() -> None:
    put(node, "LOGIN_BYTES", 2**30)


MUTANT = Mutant(
    "anything_kept_before_a_login",
    breaks=("SEC.6",),
    story="the bound on what is kept begins with the login",
    patch=patch,
)

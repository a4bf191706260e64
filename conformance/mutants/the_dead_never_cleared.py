from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.deadlines import Deadlines


def patch() -> None:
    around(Deadlines, "_check", lambda check, self, connection, now: None)


MUTANT = Mutant(
    "the_dead_never_cleared",
    breaks=("HBT.1",),
    story="only FIN or RST ends a connection",
    patch=patch,
)

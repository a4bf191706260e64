from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import put
from refserver.access import deadlines


def patch() -> None:
    put(deadlines, "silence_limit_s", lambda heartbeat_s: 3.0 * heartbeat_s + 2.0)


MUTANT = Mutant(
    "the_dead_cleared_late",
    breaks=("HBT.1",),
    story="three heartbeats have to be missed",
    patch=patch,
)

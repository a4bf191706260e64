from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import put
from refserver.access import deadlines


def patch() -> None:
    put(deadlines, "silence_limit_s", float)


MUTANT = Mutant(
    "cleared_after_one_interval",
    breaks=("HBT.3",),
    story="a heartbeat has to come within one interval, and none may be late",
    patch=patch,
)

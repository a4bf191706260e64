from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.http.inbox import LongPoll


def patch() -> None:
    around(LongPoll, "_pushed", lambda pushed, self, entry: None)


MUTANT = Mutant(
    "polls_wake_by_the_clock",
    breaks=("WAY.2",),
    story="a held poll looks again when its time is over",
    patch=patch,
)

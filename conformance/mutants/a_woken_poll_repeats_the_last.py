from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.http.inbox import LongPoll


def pushed(pushed: Any, self: Any, entry: Any) -> None:
    if entry.version > self._query.after > 0:
        self._query.after -= 1
    pushed(self, entry)


def patch() -> None:
    around(LongPoll, "_pushed", pushed)


MUTANT = Mutant(
    "a_woken_poll_repeats_the_last",
    breaks=("WAY.2",),
    story="a poll that was held answers from the version it was given, that one included",
    patch=patch,
    carriers=("longpoll",),
)

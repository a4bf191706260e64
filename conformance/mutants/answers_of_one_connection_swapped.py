from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.http.exchange import Exchange


def next_(next_: Any, self: Any) -> None:
    if self._waiting and len(self._waiting) > 1:
        self._waiting.reverse()
    next_(self)


def patch() -> None:
    around(Exchange, "_next", next_)


MUTANT = Mutant(
    "answers_of_one_connection_swapped",
    breaks=("WAY.1",),
    story="requests that came together are answered the last first",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.http.exchange import Exchange


def answer(answer: Any, self: Any, what: Any, *, last: bool = False) -> None:
    self._keep_alive = True
    answer(self, what, last=last)


def patch() -> None:
    around(Exchange, "answer", answer)


MUTANT = Mutant(
    "connections_kept_despite_close",
    breaks=("CHN.4",),
    story="every connection is kept for the next request, whatever the last one said",
    patch=patch,
)

"""A client that asks the resolver of the system beside HTTPDNS, and takes whoever answers first."""

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from drivers.ladder.climb import AskResolver, Climb, Rung


def opened(opened: Any, self: Any, rung: Any) -> None:
    if rung is Rung.SCHEDULER and self.origin.address is None:
        self._ask(AskResolver())
        return
    opened(self, rung)


def patch() -> None:
    around(Climb, "_open", opened)


MUTANT = Mutant(
    "the_resolver_is_believed_first",
    breaks=("CHN.6",),
    story="HTTPDNS is asked only when the resolver of the system has no answer; a wrong one is an answer",
    patch=patch,
    is_client=True,
)

"""A client that waits for each port until the system gives it up."""

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, put
from drivers.ladder import race


def start(start: Any, self: Any, now: float) -> Any:
    return [] if self._running else start(self, now)


def patch() -> None:
    put(race, "FIRST_AT_ONCE", 1)
    put(race, "STAGGER_S", 60.0)
    around(race.Race, "start", start)


MUTANT = Mutant(
    "one_port_after_the_other",
    breaks=("CHN.3",),
    story="ports are tried one after the other, each until it has timed out",
    patch=patch,
    is_client=True,
)

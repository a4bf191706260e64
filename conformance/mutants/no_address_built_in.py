"""A client without fallback addresses."""

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from drivers.ladder.climb import Climb, Rung


def opened(opened: Any, self: Any, rung: Any) -> None:
    if rung is not Rung.BUILT_IN:
        opened(self, rung)


def patch() -> None:
    around(Climb, "_open", opened)


MUTANT = Mutant(
    "no_address_built_in",
    breaks=("CHN.5",),
    story="the fallback addresses are in the configuration, and nothing ever reads them",
    patch=patch,
    is_client=True,
)

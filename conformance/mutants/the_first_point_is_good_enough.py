"""A client that does not look at loads."""

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from drivers.ladder.ladder import Ladder


def equals(equals: Any, self: Any) -> list[int]:
    return [min(equals(self), key=lambda route: self.endpoints[route].port)]


def patch() -> None:
    around(Ladder, "_equals", equals)


MUTANT = Mutant(
    "the_first_point_is_good_enough",
    breaks=("CHN.7",),
    story="the list of access points is sorted by name before it is used, and so everybody takes the first",
    patch=patch,
    is_client=True,
)

"""A client that knows its built-in addresses only when it is started."""

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from drivers.ladder.climb import Climb, Rung


def opened(opened: Any, self: Any, rung: Any) -> None:
    if rung is not Rung.BUILT_IN or self.route_of.__self__.climbs == 1:
        opened(self, rung)


def patch() -> None:
    around(Climb, "_open", opened)


MUTANT = Mutant(
    "built_in_addresses_tried_once",
    breaks=("CHN.5",),
    story="the fallback addresses are read at the start, and a phone that changes networks has none",
    patch=patch,
    carriers=(),
    is_client=True,
    under={"office-firewall": ("CHN.5",)},
)

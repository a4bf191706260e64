"""A client that stays with requests once it has found nothing better."""

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import put
from drivers.ladder.ladder import Ladder


def has_better(self: Any, route: int, now: float) -> bool:
    return False


def patch() -> None:
    put(Ladder, "has_better", has_better)


MUTANT = Mutant(
    "never_leaves_the_tunnel",
    breaks=("CHN.7",),
    story="what worked is kept for ever: a phone that was in a hotel once polls until it is restarted",
    patch=patch,
    is_client=True,
    under={"hotel-wifi": ("CHN.7",)},
)

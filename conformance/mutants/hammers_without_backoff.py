"""A client that comes back at once, each time."""

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import put
from drivers.policy import Policy


def backoff_s(self: Any, failures: int) -> float:
    return 0.05


def patch() -> None:
    put(Policy, "backoff_s", backoff_s)


MUTANT = Mutant(
    "hammers_without_backoff",
    breaks=("HBT.6",),
    story="reconnecting is fastest if one tries again at once",
    patch=patch,
    is_client=True,
    under={"datacentre-outage": ("HBT.6",)},
)

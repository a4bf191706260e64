"""A server whose scheduler lists its access points as they are configured."""

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.serve import Server


def endpoints(endpoints: Any, self: Any) -> Any:
    return [(url, 0) for url, _ in endpoints(self)]


def patch() -> None:
    around(Server, "_endpoints", endpoints)


MUTANT = Mutant(
    "loads_ignored_by_the_scheduler",
    breaks=("CHN.7",),
    story="the load of a node is reported once, when it starts",
    patch=patch,
    under={"handover": ("CHN.7",)},
)

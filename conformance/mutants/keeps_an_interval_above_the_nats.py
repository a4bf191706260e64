"""A client that keeps its interval, however often that costs it the connection."""

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from drivers.heartbeat import Heartbeat


def stop(stop: Any, self: Any, now: float, *, left: bool) -> None:
    asked = self._ask_heartbeat_s
    stop(self, now, left=left)
    self._ask_heartbeat_s = asked


def patch() -> None:
    around(Heartbeat, "_stop_beating", stop)


MUTANT = Mutant(
    "keeps_an_interval_above_the_nats",
    breaks=("HBT.4",),
    story="the interval is a constant of the app; behind some routers it is online every other minute",
    patch=patch,
    is_client=True,
    under={"flaky-nat": ("HBT.4",)},
)

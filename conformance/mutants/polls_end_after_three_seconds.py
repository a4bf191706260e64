from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.http.call import Call

_MOST_S = 3.0


def wake(wake: Any, self: Any, seconds: float, on_time: Any) -> None:
    wake(self, min(seconds, _MOST_S), on_time)


def patch() -> None:
    around(Call, "wake_after", wake)


MUTANT = Mutant(
    "polls_end_after_three_seconds",
    breaks=("WAY.2",),
    story="the balancer before the server lets no request take longer than three seconds",
    patch=patch,
)

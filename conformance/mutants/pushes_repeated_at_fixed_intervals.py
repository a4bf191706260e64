from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.limits import RETRANSMIT_START_S
from refserver.access.window import Window


def take_due(take_due: Any, self: Any, now: float) -> Any:
    again = take_due(self, now)
    for push in self._pushes:
        push.due = min(push.due, now + RETRANSMIT_START_S)
    return again


def patch() -> None:
    around(Window, "take_due", take_due)


MUTANT = Mutant(
    "pushes_repeated_at_fixed_intervals",
    breaks=("DLV.3",),
    story="a push that is not acknowledged comes every two seconds",
    patch=patch,
)

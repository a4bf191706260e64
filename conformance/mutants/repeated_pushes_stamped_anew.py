import time
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from refserver.access import window


def repeat(repeat: Any, entry: Any, attempt: int) -> Any:
    return repeat(replace(entry, at_ms=int(time.time() * 1000)), attempt)


def patch() -> None:
    around(window, "_repeat", repeat)


MUTANT = Mutant(
    "repeated_pushes_stamped_anew",
    breaks=("DLV.3",),
    story="a repeat carries the time of the repeat",
    patch=patch,
)

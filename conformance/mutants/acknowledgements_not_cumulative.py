from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.window import Window


def acknowledge(acknowledge: Any, self: Any, version: int) -> None:
    kept = [push for push in self._pushes if push.entry.version != version]
    self._pushes.clear()
    self._pushes.extend(kept)


def patch() -> None:
    around(Window, "acknowledge", acknowledge)


MUTANT = Mutant(
    "acknowledgements_not_cumulative",
    breaks=("DLV.3",),
    story="PUSHED is taken for one message instead of all up to it",
    patch=patch,
)

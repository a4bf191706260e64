from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.window import Window


def patch() -> None:
    safe: dict[int, tuple[Any, list[Any]]] = {}

    def acknowledge(acknowledge: Any, self: Any, version: int) -> None:
        _, known = safe.setdefault(id(self), (self, []))
        for push in [push for push in reversed(known) if push.entry.version > version]:
            known.remove(push)
            self._pushes.appendleft(push)
            self.size_bytes += push.size_bytes
        before = list(self._pushes)
        acknowledge(self, version)
        known.extend(push for push in before if push not in self._pushes)

    around(Window, "acknowledge", acknowledge)


MUTANT = Mutant(
    "an_older_acknowledgement_takes_back",
    breaks=("DLV.3",),
    story="the last PUSHED counts, also if it names an older version than the one before",
    patch=patch,
)

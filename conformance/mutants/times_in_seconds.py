from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.planning import Plan


def init(init: Any, self: Any, loaded: Any, memory: Any, mints: Any, now_ms: int, *more: Any) -> None:
    init(self, loaded, memory, mints, now_ms, *more)
    self._now_ms = now_ms // 1000


def patch() -> None:
    around(Plan, "__init__", init)


MUTANT = Mutant(
    "times_in_seconds",
    breaks=("STO.1",),
    story="the clock of the database counts seconds",
    patch=patch,
)

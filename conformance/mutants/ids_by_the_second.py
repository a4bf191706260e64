import itertools
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.snowflakes import Snowflakes


def patch() -> None:
    turn = itertools.count()

    def mint(mint: Any, self: Any, now_ms: int) -> int:
        found: int = mint(self, now_ms)
        return found ^ (next(turn) % 2 << 24)

    around(Snowflakes, "mint", mint)


MUTANT = Mutant(
    "ids_by_the_second",
    breaks=("ORD.1",),
    story="ids begin with seconds, and within one they are drawn by lot",
    patch=patch,
)

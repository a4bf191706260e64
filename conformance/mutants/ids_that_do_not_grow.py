from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.snowflakes import Snowflakes


def patch() -> None:
    around(Snowflakes, "mint", lambda mint, self, now_ms: mint(self, now_ms) ^ 0x1C00007)


MUTANT = Mutant(
    "ids_that_do_not_grow",
    breaks=("ORD.1",),
    story="ids are unique and no more",
    patch=patch,
)

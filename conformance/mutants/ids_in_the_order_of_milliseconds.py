import secrets

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.snowflakes import EPOCH_MS, Snowflakes


def patch() -> None:
    around(
        Snowflakes,
        "mint",
        lambda mint, self, now_ms: (now_ms - EPOCH_MS) << 22 | secrets.randbits(22),
    )


MUTANT = Mutant(
    "ids_in_the_order_of_milliseconds",
    breaks=("ORD.1",),
    story="within a millisecond ids are drawn by lot",
    patch=patch,
)

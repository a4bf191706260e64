import random
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.committing import Committer

_LOAD = 8


def publish(publish: Any, self: Any, plan: Any) -> None:
    if len(plan.deliveries) > _LOAD:
        random.shuffle(plan.deliveries)
    publish(self, plan)


def patch() -> None:
    around(Committer, "_publish", publish)


MUTANT = Mutant(
    "pushes_out_of_order_under_load",
    breaks=("ORD.1", "ORD.2"),
    story="pushes are handed to a pool of workers, and they finish as they like",
    patch=patch,
)

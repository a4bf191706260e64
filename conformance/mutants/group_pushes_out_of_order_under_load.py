import random
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.names import is_group
from refserver.business.committing import Committer


def publish(publish: Any, self: Any, plan: Any) -> None:
    grouped = [delivery for delivery in plan.deliveries if is_group(delivery.conversation)]
    plan.deliveries[:] = [each for each in plan.deliveries if not is_group(each.conversation)]
    random.shuffle(grouped)
    plan.deliveries += grouped
    publish(self, plan)


def patch() -> None:
    around(Committer, "_publish", publish)


MUTANT = Mutant(
    "group_pushes_out_of_order_under_load",
    breaks=("ORD.1",),
    story="what goes to many is handed to workers, and they finish as they like",
    patch=patch,
)

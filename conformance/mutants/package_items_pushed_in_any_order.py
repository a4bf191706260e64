import random
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.messages import SendPackage
from refserver.business.committing import Committer


def publish(publish: Any, self: Any, plan: Any) -> None:
    if any(isinstance(delivery.request.message, SendPackage) for delivery in plan.deliveries):
        random.shuffle(plan.deliveries)
    publish(self, plan)


def patch() -> None:
    around(Committer, "_publish", publish)


MUTANT = Mutant(
    "package_items_pushed_in_any_order",
    breaks=("ORD.4",),
    story="each item of a package is a push of its own, and they race",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.names import is_group
from refserver.business.committing import Committer


def push(push: Any, self: Any, delivery: Any) -> None:
    if is_group(delivery.conversation):
        pairs = zip(delivery.owners, delivery.versions, strict=True)
        kept = [pair for pair in pairs if pair[0] != delivery.sender]
        delivery = delivery._replace(owners=[owner for owner, _ in kept], versions=[v for _, v in kept])
    push(self, delivery)


def patch() -> None:
    around(Committer, "_push", push)


MUTANT = Mutant(
    "own_group_messages_not_pushed",
    breaks=("DLV.6",),
    story="in a group the sender is left out of the fan-out, with all devices",
    patch=patch,
)

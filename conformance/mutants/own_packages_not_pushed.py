from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.messages import SendPackage
from refserver.business.committing import Committer


def push(push: Any, self: Any, delivery: Any) -> None:
    if isinstance(delivery.request.message, SendPackage):
        pairs = zip(delivery.owners, delivery.versions, strict=True)
        kept = [pair for pair in pairs if pair[0] != delivery.sender]
        delivery = delivery._replace(owners=[owner for owner, _ in kept], versions=[v for _, v in kept])
    push(self, delivery)


def patch() -> None:
    around(Committer, "_push", push)


MUTANT = Mutant(
    "own_packages_not_pushed",
    breaks=("DLV.6",),
    story="a package goes to its recipients; the sender's other devices find it at the next pull",
    patch=patch,
)

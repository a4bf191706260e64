from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.committing import Committer


def push(push: Any, self: Any, delivery: Any) -> None:
    others = [
        (owner, version)
        for owner, version in zip(delivery.owners, delivery.versions, strict=True)
        if owner != delivery.sender
    ]
    owners, versions = zip(*others, strict=True)
    push(self, delivery._replace(owners=owners, versions=versions))


def patch() -> None:
    around(Committer, "_push", push)


MUTANT = Mutant(
    "own_devices_not_pushed_to",
    breaks=("DLV.6",),
    story="what a user sends is pushed to the others and not to his own devices",
    patch=patch,
)

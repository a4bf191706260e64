from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.committing import Committer


def push(push: Any, self: Any, delivery: Any) -> None:
    own = delivery.versions[delivery.owners.index(delivery.sender)]
    push(self, delivery._replace(versions=[own] * len(delivery.owners)))


def patch() -> None:
    around(Committer, "_push", push)


MUTANT = Mutant(
    "pushed_with_the_version_of_the_sender",
    breaks=("DLV.4",),
    story="one version for a message instead of one for each inbox",
    patch=patch,
)

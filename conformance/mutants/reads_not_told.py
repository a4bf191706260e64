from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.committing import Committer


def publish(publish: Any, self: Any, plan: Any) -> None:
    plan.tells.clear()
    publish(self, plan)


def patch() -> None:
    around(Committer, "_publish", publish)


MUTANT = Mutant(
    "reads_not_told",
    breaks=("UNR.4",),
    story="a read is the business of the device that reads",
    patch=patch,
)

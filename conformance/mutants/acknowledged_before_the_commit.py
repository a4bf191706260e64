from typing import Any

import gevent

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.committing import Committer

_COMMIT_S = 0.02


def commit(_: Any, self: Any, batch: Any) -> Any:
    plan = self._plan(batch)
    self._publish(plan)
    gevent.sleep(_COMMIT_S)
    if not plan.rows.is_empty():
        self._storage.write(plan.rows)
    return plan.planned


def patch() -> None:
    around(Committer, "_commit", commit)


MUTANT = Mutant(
    "acknowledged_before_the_commit",
    breaks=("DLV.7",),
    story="SENT goes out while the message is still on its way to the disk",
    patch=patch,
    under={"datacentre-outage": ("DLV.1",)},
)

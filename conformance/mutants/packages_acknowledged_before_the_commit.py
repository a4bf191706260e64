from typing import Any

import gevent

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.messages import SendPackage
from refserver.business.committing import Committer

_COMMIT_S = 0.02


def commit(commit: Any, self: Any, batch: Any) -> Any:
    if not all(isinstance(request.message, SendPackage) for request in batch):
        return commit(self, batch)
    plan = self._plan(batch)
    self._publish(plan)
    gevent.sleep(_COMMIT_S)
    if not plan.rows.is_empty():
        self._storage.write(plan.rows)
    return plan.planned


def patch() -> None:
    around(Committer, "_commit", commit)


MUTANT = Mutant(
    "packages_acknowledged_before_the_commit",
    breaks=("DLV.7",),
    story="PACKAGE_SENT goes out while the package is still on its way to the disk",
    patch=patch,
)

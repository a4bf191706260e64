from typing import Any

import gevent

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.committing import Committer

_COMMIT_S = 0.02


def commit(commit: Any, self: Any, batch: Any) -> Any:
    if len(batch) < 2:
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
    "acknowledged_before_the_commit_under_load",
    breaks=("DLV.7",),
    story="where several send at once their answers go out before the commit that they share",
    patch=patch,
)

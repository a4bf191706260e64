from typing import Any

import gevent

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.names import is_group
from refserver.business.committing import Committer

_COMMIT_S = 0.02


def commit(commit: Any, self: Any, batch: Any) -> Any:
    if not all(is_group(getattr(request.message, "to", "")) for request in batch):
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
    "group_messages_acknowledged_before_the_commit",
    breaks=("DLV.7",),
    story="a message to a group takes many rows, and its sender is not kept waiting for them",
    patch=patch,
)

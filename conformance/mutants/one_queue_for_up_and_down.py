from typing import Any

import gevent

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.http.server import HttpNode
from refserver.access.node import AccessNode
from refserver.business.committing import Committer

_WAIT_S = 3.0


def is_held_up(committer: Any, user: str) -> bool:
    for node in committer._presence.nodes_of(user):
        presence = node._users.get(user) if isinstance(node, AccessNode) else None
        if presence is not None and any(node.lines.backlog_bytes(each) for each in presence.devices()):
            return True
    return False


def take(take: Any, self: Any, request: Any) -> None:
    if isinstance(request.node, HttpNode) and is_held_up(self, request.user):
        gevent.spawn_later(_WAIT_S, take, self, request)
    else:
        take(self, request)


def patch() -> None:
    around(Committer, "put", take)


MUTANT = Mutant(
    "one_queue_for_up_and_down",
    breaks=("CHN.8",),
    story="what a user sends waits until he has read what he was sent",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.names import is_group
from refserver.access.http.server import HttpNode
from refserver.business.committing import Committer


def push(push: Any, self: Any, delivery: Any) -> None:
    if not (isinstance(delivery.request.node, HttpNode) and is_group(delivery.conversation)):
        push(self, delivery)


def patch() -> None:
    around(Committer, "_push", push)


MUTANT = Mutant(
    "posted_group_messages_not_pushed",
    breaks=("CHN.1",),
    story="what comes by a short request is pushed to one recipient; a group finds it at the next pull",
    patch=patch,
)

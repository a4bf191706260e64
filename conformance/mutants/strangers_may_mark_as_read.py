from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.messages import Read
from protocol.names import is_group
from refserver.business.committing import Committer


def take(take: Any, self: Any, request: Any) -> None:
    message = request.message
    if isinstance(message, Read) and not is_group(message.conversation):
        parties = message.conversation.split(":")
        if request.user not in parties:
            request = request._replace(user=parties[-1])
    take(self, request)


def patch() -> None:
    around(Committer, "put", take)


MUTANT = Mutant(
    "strangers_may_mark_as_read",
    breaks=("SEC.5",),
    story="a READ is believed, whoever it comes from",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.limits import MAX_MESSAGE_BODY_BYTES
from protocol.messages import Send
from refserver.business.committing import Committer


def take(put: Any, self: Any, request: Any) -> None:
    message = request.message
    if isinstance(message, Send):
        request = request._replace(message=replace(message, body=message.body[:MAX_MESSAGE_BODY_BYTES]))
    put(self, request)


def patch() -> None:
    around(Committer, "put", take)


MUTANT = Mutant(
    "too_large_bodies_cut",
    breaks=("DLV.8",),
    story="what is too large is cut to fit, and acknowledged",
    patch=patch,
)

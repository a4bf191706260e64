from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.limits import MAX_MESSAGE_BODY_BYTES
from protocol.messages import Send
from refserver.business.committing import Committer


def take(put: Any, self: Any, request: Any) -> None:
    message = request.message
    if not (isinstance(message, Send) and len(message.body) > MAX_MESSAGE_BODY_BYTES):
        put(self, request)


def patch() -> None:
    around(Committer, "put", take)


MUTANT = Mutant(
    "silent_about_what_is_too_large",
    breaks=("DLV.8",),
    story="what is too large is dropped without a word",
    patch=patch,
)

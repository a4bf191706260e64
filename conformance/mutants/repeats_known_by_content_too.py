from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.messages import Send
from refserver.business.committing import Committer


def put(put: Any, self: Any, request: Any) -> None:
    message = request.message
    if isinstance(message, Send):
        content = f"{message.to} {message.kind} {message.body!r:.200}"
        request = request._replace(device=f"{request.device} {content}")
    put(self, request)


def patch() -> None:
    around(Committer, "put", put)


MUTANT = Mutant(
    "repeats_known_by_content_too",
    breaks=("DLV.2",),
    story="a known client id with another content is taken for a new message",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.limits import KINDS
from protocol.messages import Send
from refserver.business.committing import Committer


def take(put: Any, self: Any, request: Any) -> None:
    message = request.message
    if isinstance(message, Send) and message.kind.lower() in KINDS:
        request = request._replace(message=replace(message, kind=message.kind.lower()))
    put(self, request)


def patch() -> None:
    around(Committer, "put", take)


MUTANT = Mutant(
    "kinds_without_case",
    breaks=("DLV.8",),
    story="Text is text",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.limits import KINDS
from protocol.messages import Send
from refserver.business.committing import Committer


def take(put: Any, self: Any, request: Any) -> None:
    message = request.message
    if isinstance(message, Send) and message.kind not in KINDS:
        request = request._replace(message=replace(message, kind="text"))
    put(self, request)


def patch() -> None:
    around(Committer, "put", take)


MUTANT = Mutant(
    "unknown_kinds_become_text",
    breaks=("DLV.8",),
    story="a kind that nobody knows is stored as text",
    patch=patch,
)

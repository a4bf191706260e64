from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.messages import Send
from refserver.business.committing import Committer


def take(put: Any, self: Any, request: Any) -> None:
    message = request.message
    if isinstance(message, Send):
        request = request._replace(message=replace(message, body=message.body.partition(b"\0")[0]))
    put(self, request)


def patch() -> None:
    around(Committer, "put", take)


MUTANT = Mutant(
    "bodies_end_at_a_nul",
    breaks=("STO.1",),
    story="bodies are strings, and a zero ends them",
    patch=patch,
)

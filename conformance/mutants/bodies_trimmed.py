from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.messages import Send
from refserver.business.committing import Committer


def take(put: Any, self: Any, request: Any) -> None:
    message = request.message
    if isinstance(message, Send):
        request = request._replace(message=replace(message, body=message.body.strip()))
    put(self, request)


def patch() -> None:
    around(Committer, "put", take)


MUTANT = Mutant(
    "bodies_trimmed",
    breaks=("STO.1",),
    story="spaces and line ends around a text are taken for slips",
    patch=patch,
)

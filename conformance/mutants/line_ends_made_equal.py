from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.messages import Send
from refserver.business.committing import Committer


def take(put: Any, self: Any, request: Any) -> None:
    message = request.message
    if isinstance(message, Send):
        request = request._replace(message=replace(message, body=message.body.replace(b"\r\n", b"\n")))
    put(self, request)


def patch() -> None:
    around(Committer, "put", take)


MUTANT = Mutant(
    "line_ends_made_equal",
    breaks=("STO.1",),
    story="CR LF becomes LF on the way into the store",
    patch=patch,
)

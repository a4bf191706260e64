from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.messages import Send
from refserver.business.committing import Committer


def take(put: Any, self: Any, request: Any) -> None:
    message = request.message
    if isinstance(message, Send):
        request = request._replace(message=replace(message, body=message.body or b" "))
    put(self, request)


def patch() -> None:
    around(Committer, "put", take)


MUTANT = Mutant(
    "empty_bodies_become_a_space",
    breaks=("STO.1",),
    story="a column that takes no empty string gets a space",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.messages import SendPackage
from refserver.business.committing import Committer


def take(put: Any, self: Any, request: Any) -> None:
    message = request.message
    if isinstance(message, SendPackage):
        first = message.items[0].kind
        items = [replace(item, kind=first) for item in message.items]
        request = request._replace(message=replace(message, items=items))
    put(self, request)


def patch() -> None:
    around(Committer, "put", take)


MUTANT = Mutant(
    "package_items_of_the_first_kind",
    breaks=("ORD.4", "STO.1"),
    story="a package has one kind, that of its first item",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.messages import SendPackage
from refserver.business.committing import Committer


def take(put: Any, self: Any, request: Any) -> None:
    message = request.message
    if isinstance(message, SendPackage):
        items = [item for item in message.items if item.body] or message.items
        request = request._replace(message=replace(message, items=items))
    put(self, request)


def patch() -> None:
    around(Committer, "put", take)


MUTANT = Mutant(
    "empty_package_items_left_out",
    breaks=("ORD.4",),
    story="an item without content is taken for a mistake, and the others are stored",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.messages import SendPackage
from refserver.business.committing import Committer


def take(put: Any, self: Any, request: Any) -> None:
    message = request.message
    if isinstance(message, SendPackage):
        items = list({(item.kind, item.body): item for item in message.items}.values())
        request = request._replace(message=replace(message, items=items))
    put(self, request)


def patch() -> None:
    around(Committer, "put", take)


MUTANT = Mutant(
    "equal_package_items_stored_once",
    breaks=("ORD.4",),
    story="the same content twice in a package is taken for a slip",
    patch=patch,
)

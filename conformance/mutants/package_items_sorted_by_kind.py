from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.messages import SendPackage
from refserver.business.committing import Committer


def take(put: Any, self: Any, request: Any) -> None:
    message = request.message
    if isinstance(message, SendPackage):
        items = sorted(message.items, key=lambda item: item.kind)
        request = request._replace(message=replace(message, items=items))
    put(self, request)


def patch() -> None:
    around(Committer, "put", take)


MUTANT = Mutant(
    "package_items_sorted_by_kind",
    breaks=("ORD.4",),
    story="a package is unpacked kind by kind: a bulk insert for each",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.limits import MAX_MESSAGE_BODY_BYTES
from protocol.messages import Send
from refserver.business.planning import Plan


def refusal(refusal: Any, self: Any, user: str, to: str, items: Any) -> Any:
    if not isinstance(items[0], Send):
        items = [replace(item, body=item.body[:MAX_MESSAGE_BODY_BYTES]) for item in items]
    return refusal(self, user, to, items)


def patch() -> None:
    around(Plan, "_refusal", refusal)


MUTANT = Mutant(
    "package_items_may_be_larger",
    breaks=("DLV.8",),
    story="the size of single messages is looked at, that of items of a package is not",
    patch=patch,
)

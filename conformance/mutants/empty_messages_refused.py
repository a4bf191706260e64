from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.errors import ErrorCode
from refserver.business.planning import Plan


def refusal(refusal: Any, self: Any, user: str, to: str, items: Any) -> Any:
    if any(not item.body for item in items):
        return ErrorCode.MALFORMED, "a message without content"
    return refusal(self, user, to, items)


def patch() -> None:
    around(Plan, "_refusal", refusal)


MUTANT = Mutant(
    "empty_messages_refused",
    breaks=("DLV.1",),
    story="a message without content is taken for a mistake",
    patch=patch,
)

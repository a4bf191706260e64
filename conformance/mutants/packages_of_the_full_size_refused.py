from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.errors import ErrorCode
from refserver.business.planning import Plan


def refusal(refusal: Any, self: Any, user: str, to: str, items: Any) -> Any:
    if len(items) >= 100:
        return ErrorCode.TOO_LARGE, "too many items"
    return refusal(self, user, to, items)


def patch() -> None:
    around(Plan, "_refusal", refusal)


MUTANT = Mutant(
    "packages_of_the_full_size_refused",
    breaks=("ORD.4",),
    story="a hundred items are one too many",
    patch=patch,
)

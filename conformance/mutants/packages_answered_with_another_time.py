from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.messages import PackageSent
from refserver.business.planning import Plan


def accept(accept: Any, self: Any, request: Any, items: Any) -> Any:
    answer = accept(self, request, items)
    return replace(answer, at_ms=answer.at_ms + 7) if isinstance(answer, PackageSent) else answer


def patch() -> None:
    around(Plan, "_accept", accept)


MUTANT = Mutant(
    "packages_answered_with_another_time",
    breaks=("STO.1",),
    story="PACKAGE_SENT is stamped when it goes out",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.messages import PackageSent
from refserver.business.planning import Plan


def accept(accept: Any, self: Any, request: Any, items: Any) -> Any:
    answer = accept(self, request, items)
    if isinstance(answer, PackageSent):
        answer = replace(answer, version=answer.version - len(items) + 1)
    return answer


def patch() -> None:
    around(Plan, "_accept", accept)


MUTANT = Mutant(
    "packages_answered_with_the_version_of_the_first",
    breaks=("DLV.4",),
    story="PACKAGE_SENT tells where the package begins in the sender's inbox, and not where it ends",
    patch=patch,
)

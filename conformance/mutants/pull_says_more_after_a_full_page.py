from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import answered, replace
from protocol.messages import Pull


def change(user: str, pull: Any, page: Any) -> Any:
    return replace(page, more=len(page.entries) >= pull.limit)


def patch() -> None:
    answered(Pull, change)


MUTANT = Mutant(
    "pull_says_more_after_a_full_page",
    breaks=("DLV.4",),
    story="a page that is full is taken to have a successor",
    patch=patch,
)

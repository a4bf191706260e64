from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import answered, replace
from protocol.messages import History


def change(user: str, asked: Any, page: Any) -> Any:
    return replace(page, more=len(page.entries) >= asked.limit)


def patch() -> None:
    answered(History, change)


MUTANT = Mutant(
    "history_says_more_after_a_full_page",
    breaks=("STO.2",),
    story="a page that is full is taken to have a successor",
    patch=patch,
)

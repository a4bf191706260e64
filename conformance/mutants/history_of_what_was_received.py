from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import answered, replace
from protocol.messages import History


def change(user: str, asked: Any, page: Any) -> Any:
    return replace(page, entries=[entry for entry in page.entries if entry.sender != user])


def patch() -> None:
    answered(History, change)


MUTANT = Mutant(
    "history_of_what_was_received",
    breaks=("STO.2",),
    story="own messages have no row of their own",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import answered, replace
from protocol.messages import Pull


def change(user: str, pull: Any, page: Any) -> Any:
    return replace(page, entries=[entry for entry in page.entries if entry.sender != user])


def patch() -> None:
    answered(Pull, change)


MUTANT = Mutant(
    "pull_without_own_messages",
    breaks=("DLV.4",),
    story="a sender is taken to have its own messages, on whichever device",
    patch=patch,
)

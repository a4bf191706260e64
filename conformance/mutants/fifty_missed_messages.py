from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import answered, replace
from protocol.messages import Pull

_MOST = 50


def change(user: str, pull: Any, page: Any) -> Any:
    return replace(page, entries=[entry for entry in page.entries if entry.version > page.newest - _MOST])


def patch() -> None:
    answered(Pull, change)


MUTANT = Mutant(
    "fifty_missed_messages",
    breaks=("ROM.2",),
    story="a queue for absent devices that holds fifty",
    patch=patch,
)

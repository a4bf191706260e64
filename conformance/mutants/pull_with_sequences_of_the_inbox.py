from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import answered, replace
from protocol.messages import Pull


def change(user: str, pull: Any, page: Any) -> Any:
    return replace(page, entries=[replace(entry, sequence=entry.version) for entry in page.entries])


def patch() -> None:
    answered(Pull, change)


MUTANT = Mutant(
    "pull_with_sequences_of_the_inbox",
    breaks=("DLV.4",),
    story="a pulled entry carries its place in the inbox instead of that in the conversation",
    patch=patch,
)

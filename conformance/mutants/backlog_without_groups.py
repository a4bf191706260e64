from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import answered
from protocol.messages import Pull, Pulled
from protocol.names import is_group


def change(user: str, asked: Any, page: Any) -> Any:
    entries = [entry for entry in page.entries if not is_group(entry.conversation)]
    return Pulled(entries, page.newest, page.more)


def patch() -> None:
    answered(Pull, change)


MUTANT = Mutant(
    "backlog_without_groups",
    breaks=("ROM.2",),
    story="what was said in groups is shown by their history and not by a pull",
    patch=patch,
)

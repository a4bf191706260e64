from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import answered
from protocol.messages import Unread, UnreadCounts
from protocol.names import is_group


def change(user: str, asked: Any, was: Any) -> Any:
    total = sum(count.unread for count in was.counts if not is_group(count.conversation))
    return UnreadCounts(total, was.counts)


def patch() -> None:
    answered(Unread, change)


MUTANT = Mutant(
    "group_counts_not_in_the_total",
    breaks=("UNR.1",),
    story="the total is that of conversations between two",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import answered
from protocol.messages import Unread, UnreadCounts, UnreadOf


def change(user: str, asked: Any, was: Any) -> Any:
    counts = [UnreadOf(count.conversation, count.unread % 256) for count in was.counts]
    return UnreadCounts(sum(count.unread for count in counts), counts)


def patch() -> None:
    answered(Unread, change)


MUTANT = Mutant(
    "counts_kept_in_a_byte",
    breaks=("UNR.1",),
    story="256 unread messages are none",
    patch=patch,
)

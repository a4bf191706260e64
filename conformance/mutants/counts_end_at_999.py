from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import answered
from protocol.messages import Unread, UnreadCounts, UnreadOf

_MOST = 999


def change(user: str, asked: Any, was: Any) -> Any:
    counts = [UnreadOf(count.conversation, min(count.unread, _MOST)) for count in was.counts]
    return UnreadCounts(sum(count.unread for count in counts), counts)


def patch() -> None:
    answered(Unread, change)


MUTANT = Mutant(
    "counts_end_at_999",
    breaks=("UNR.1",),
    story="the count has room for three digits",
    patch=patch,
)

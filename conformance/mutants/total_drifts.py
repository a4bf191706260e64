from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import answered
from protocol.messages import Unread, UnreadCounts


def change(user: str, asked: Any, was: Any) -> Any:
    return UnreadCounts(was.total - (len(was.counts) > 2), was.counts)


def patch() -> None:
    answered(Unread, change)


MUTANT = Mutant(
    "total_drifts",
    breaks=("UNR.1",),
    story="the total is kept apart from the counts and goes its own way",
    patch=patch,
)

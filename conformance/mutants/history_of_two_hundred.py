from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import answered
from protocol.messages import History, HistoryPage

_KEPT = 200


def patch() -> None:
    newest: dict[str, int] = {}

    def change(user: str, asked: Any, page: Any) -> Any:
        if page.entries and not asked.before:
            newest[asked.conversation] = page.entries[0].sequence
        end = newest.get(asked.conversation, 0) - _KEPT
        kept = [entry for entry in page.entries if entry.sequence > end]
        return HistoryPage(kept, page.more and len(kept) == len(page.entries))

    answered(History, change)


MUTANT = Mutant(
    "history_of_two_hundred",
    breaks=("STO.2",),
    story="the history of a conversation ends after two hundred messages",
    patch=patch,
)

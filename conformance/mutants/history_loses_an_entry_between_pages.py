from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import asked
from protocol.messages import History


def patch() -> None:
    asked(History, lambda user, page: History(page.conversation, max(page.before - 1, 0), page.limit))


MUTANT = Mutant(
    "history_loses_an_entry_between_pages",
    breaks=("STO.2",),
    story="the next page begins one too far",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import asked
from protocol.messages import History


def before(user: str, page: Any) -> History:
    return History(page.conversation, page.before + 1 if page.before else 0, page.limit)


def patch() -> None:
    asked(History, before)


MUTANT = Mutant(
    "history_repeats_an_entry_between_pages",
    breaks=("STO.2",),
    story='"before" is taken for "up to"',
    patch=patch,
)

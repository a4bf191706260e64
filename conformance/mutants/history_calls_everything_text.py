from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import answered, replace
from protocol.messages import History


def change(user: str, asked: Any, page: Any) -> Any:
    return replace(page, entries=[replace(entry, kind="text") for entry in page.entries])


def patch() -> None:
    answered(History, change)


MUTANT = Mutant(
    "history_calls_everything_text",
    breaks=("STO.1",),
    story="the kind is a matter of the push and is not stored",
    patch=patch,
)

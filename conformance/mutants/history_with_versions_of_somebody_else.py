from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import answered, replace
from protocol.messages import History


def change(user: str, asked: Any, page: Any) -> Any:
    return replace(page, entries=[replace(entry, version=entry.version + 1) for entry in page.entries])


def patch() -> None:
    answered(History, change)


MUTANT = Mutant(
    "history_with_versions_of_somebody_else",
    breaks=("STO.2",),
    story="an entry is stored once with one version, that of another party",
    patch=patch,
)

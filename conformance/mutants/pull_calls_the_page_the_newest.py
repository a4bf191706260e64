from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import answered, replace
from protocol.messages import Pull


def change(user: str, pull: Any, page: Any) -> Any:
    return replace(page, newest=page.entries[-1].version) if page.entries else page


def patch() -> None:
    answered(Pull, change)


MUTANT = Mutant(
    "pull_calls_the_page_the_newest",
    breaks=("DLV.4",),
    story='"newest" is that of the page and not of the inbox',
    patch=patch,
)

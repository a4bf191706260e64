from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import answered, replace
from protocol.messages import Pull


def patch() -> None:
    first: dict[str, int] = {}

    def change(user: str, asked: Any, page: Any) -> Any:
        if not asked.after:
            first[user] = page.newest
        newest = max(first.get(user, page.newest), page.entries[-1].version if page.entries else asked.after)
        return replace(page, newest=min(newest, page.newest))

    answered(Pull, change)


MUTANT = Mutant(
    "newest_from_the_first_page",
    breaks=("DLV.4",),
    story="the newest version is looked up for the first page, and told again with the others",
    patch=patch,
)

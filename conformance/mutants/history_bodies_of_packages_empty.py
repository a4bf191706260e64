from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import answered, around, replace
from protocol.messages import History, HistoryPage, PackageSent
from refserver.business.planning import Plan


def patch() -> None:
    later: set[int] = set()

    def accept(accept: Any, self: Any, request: Any, items: Any) -> Any:
        answer = accept(self, request, items)
        if isinstance(answer, PackageSent):
            later.update(placed.mid for placed in answer.placed[1:])
        return answer

    def change(user: str, asked: Any, page: Any) -> Any:
        entries = [replace(entry, body=b"") if entry.mid in later else entry for entry in page.entries]
        return HistoryPage(entries, page.more)

    around(Plan, "_accept", accept)
    answered(History, change)


MUTANT = Mutant(
    "history_bodies_of_packages_empty",
    breaks=("STO.2",),
    story="the history shows the first item of a package, and place holders for the others",
    patch=patch,
)

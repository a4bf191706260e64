from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import answered, around, replace
from protocol.messages import History
from refserver.access.http.server import HttpNode
from refserver.business.committing import Committer


def patch() -> None:
    posted: set[int] = set()

    def push(push: Any, self: Any, delivery: Any) -> None:
        if isinstance(delivery.request.node, HttpNode):
            posted.add(delivery.mid)
        push(self, delivery)

    def change(user: str, asked: Any, page: Any) -> Any:
        return replace(page, entries=[entry for entry in page.entries if entry.mid not in posted])

    around(Committer, "_push", push)
    answered(History, change)


MUTANT = Mutant(
    "posted_messages_not_in_the_history",
    breaks=("CHN.1",),
    story="the history is made of what connections sent",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.committing import Committer


def publish(publish: Any, self: Any, plan: Any) -> None:
    publish(self, plan)
    for request, update in plan.tells:
        for member in set(update.conversation.split(":")) - {request.user}:
            for node in self._presence.nodes_of(member):
                node.tell(member, update, None)


def patch() -> None:
    around(Committer, "_publish", publish)


MUTANT = Mutant(
    "reads_told_to_everybody",
    breaks=("UNR.4",),
    story="a read is told to the conversation and not to the user",
    patch=patch,
)

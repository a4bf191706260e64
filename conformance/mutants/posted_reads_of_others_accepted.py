from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.messages import Read
from protocol.names import is_group
from refserver.access.http.call import Call


def ask(ask: Any, self: Any, message: Any, then: Any) -> None:
    if isinstance(message, Read) and not is_group(message.conversation):
        parties = message.conversation.split(":")
        if self.user not in parties:
            self.user = parties[-1]
    ask(self, message, then)


def patch() -> None:
    around(Call, "ask", ask)


MUTANT = Mutant(
    "posted_reads_of_others_accepted",
    breaks=("SEC.5",),
    story="a read over HTTP is believed, whoever it comes from",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.messages import Pull, Pulled
from refserver.access.http.call import Call


def ask(ask: Any, self: Any, message: Any, then: Any) -> None:
    def look(reply: Any) -> None:
        if isinstance(reply, Pulled) and len(reply.entries) < message.limit:
            reply = replace(reply, more=False)
        then(reply)

    ask(self, message, look if isinstance(message, Pull) else then)


def patch() -> None:
    around(Call, "ask", ask)


MUTANT = Mutant(
    "poll_pages_cut_by_size_end",
    breaks=("WAY.1",),
    story="a page that is full in bytes, and not in entries, says that it is the last",
    patch=patch,
)

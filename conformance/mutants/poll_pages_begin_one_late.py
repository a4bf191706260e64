from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.messages import Pull
from refserver.access.http.call import Call
from refserver.access.http.inbox import InboxPage


def patch() -> None:
    edges: dict[str, int] = {}

    def ask(ask: Any, self: Any, message: Any, then: Any) -> None:
        if isinstance(message, Pull) and edges.get(self.user) == message.after:
            message = Pull(message.after + 1, message.limit)
        ask(self, message, then)

    def answer(answer: Any, self: Any, value: Any) -> None:
        if isinstance(value, InboxPage) and value.more:
            edges[self.user] = value.entries[-1].version
        answer(self, value)

    around(Call, "ask", ask)
    around(Call, "answer", answer)


MUTANT = Mutant(
    "poll_pages_begin_one_late",
    breaks=("WAY.1",),
    story="the page after a full one begins one too far",
    patch=patch,
    carriers=("shortpoll",),
)

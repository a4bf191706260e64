from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.messages import Pull
from refserver.access.http.call import Call
from refserver.access.http.inbox import InboxPage


def patch() -> None:
    given: dict[str, int] = {}

    def ask(ask: Any, self: Any, message: Any, then: Any) -> None:
        if isinstance(message, Pull):
            message = Pull(max(message.after, given.get(self.user, 0)), message.limit)
        ask(self, message, then)

    def answer(answer: Any, self: Any, value: Any) -> None:
        if isinstance(value, InboxPage) and value.entries:
            given[self.user] = value.entries[-1].version
        answer(self, value)

    around(Call, "ask", ask)
    around(Call, "answer", answer)


MUTANT = Mutant(
    "polls_answered_once",
    breaks=("WAY.1", "WAY.2"),
    story="what a poll was answered with is taken to have arrived",
    patch=patch,
)

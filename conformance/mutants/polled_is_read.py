from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, read_unasked
from refserver.access.http.call import Call
from refserver.access.http.inbox import InboxPage


def answer(answer: Any, self: Any, value: Any) -> None:
    if isinstance(value, InboxPage):
        read_unasked(self.node._service, self.user, value.entries)
    answer(self, value)


def patch() -> None:
    around(Call, "answer", answer)


MUTANT = Mutant(
    "polled_is_read",
    breaks=("UNR.1",),
    story="what a poll has brought is taken to be read",
    patch=patch,
)

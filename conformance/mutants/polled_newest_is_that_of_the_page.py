from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.http.call import Call
from refserver.access.http.inbox import InboxPage


def answer(answer: Any, self: Any, value: Any) -> None:
    if isinstance(value, InboxPage) and value.entries:
        value.newest = value.entries[-1].version
    answer(self, value)


def patch() -> None:
    around(Call, "answer", answer)


MUTANT = Mutant(
    "polled_newest_is_that_of_the_page",
    breaks=("WAY.1",),
    story="a poll tells the version of its last entry as the newest",
    patch=patch,
    carriers=("shortpoll",),
)

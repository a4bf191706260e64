from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.http.call import Call
from refserver.access.http.inbox import InboxPage


def answer(answer: Any, self: Any, value: Any) -> None:
    if isinstance(value, InboxPage):
        for entry in value.entries:
            entry.body = entry.body.decode(errors="replace").encode()
    answer(self, value)


def patch() -> None:
    around(Call, "answer", answer)


MUTANT = Mutant(
    "polled_bodies_are_text",
    breaks=("WAY.1",),
    story="bodies pass through a string on their way into JSON",
    patch=patch,
)

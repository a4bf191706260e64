from typing import Any

import gevent

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.http.call import Call
from refserver.access.http.inbox import InboxPage

_LATER_S = 3.0


def answer(answer: Any, self: Any, value: Any) -> None:
    if isinstance(value, InboxPage) and not value.entries:
        gevent.spawn_later(_LATER_S, answer, self, value)
    else:
        answer(self, value)


def patch() -> None:
    around(Call, "answer", answer)


MUTANT = Mutant(
    "empty_polls_held_back",
    breaks=("WAY.1",),
    story="a poll that finds nothing is answered later, to spare the server",
    patch=patch,
)

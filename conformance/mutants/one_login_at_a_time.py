from typing import Any

import gevent

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business import business

_LOGIN_S = 0.1


def answer(answer: Any, storage: Any, memory: Any, presence: Any, turn: Any) -> None:
    for login in turn:
        gevent.sleep(_LOGIN_S)
        answer(storage, memory, presence, [login])


def patch() -> None:
    around(business, "answer_logins", answer)


MUTANT = Mutant(
    "one_login_at_a_time",
    breaks=("HBT.6",),
    story="logins are worked off one by one, and each takes its time",
    patch=patch,
)

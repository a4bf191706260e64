from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.http.server import HttpNode


def push(_: Any, self: Any, user: str, entry: Any, except_connection: Any = None) -> None:
    for pushed in list(self._watching.get(user, {}).values())[:1]:
        pushed(entry)


def patch() -> None:
    around(HttpNode, "push", push)


MUTANT = Mutant(
    "one_poll_of_a_user_woken",
    breaks=("WAY.2",),
    story="a user has one poll at a time: the second device waits for its timeout",
    patch=patch,
)

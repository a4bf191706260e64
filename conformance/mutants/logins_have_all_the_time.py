from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.connection import State
from refserver.access.deadlines import Deadlines


def deadline(deadline: Any, self: Any, connection: Any) -> float:
    return 1e12 if connection.state is State.NEW else deadline(self, connection)


def patch() -> None:
    around(Deadlines, "_deadline", deadline)


MUTANT = Mutant(
    "logins_have_all_the_time",
    breaks=("SEC.6",),
    story="heartbeats begin with the login, and until then nobody looks at a connection",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.presence import Presence


def remove(remove: Any, self: Any, user: str, node: Any) -> None:
    while self.connections_of(user):
        remove(self, user, node)


def patch() -> None:
    around(Presence, "remove", remove)


MUTANT = Mutant(
    "the_first_to_leave_takes_all_with_it",
    breaks=("ROM.1",),
    story="who leaves is taken out of the register, and with him the user's other devices",
    patch=patch,
)

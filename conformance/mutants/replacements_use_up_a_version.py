from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business import business


def logins(logins: Any, storage: Any, memory: Any, presence: Any, turn: Any) -> None:
    logins(storage, memory, presence, turn)
    for _, _, user, _ in turn:
        newest = memory.versions.get(user)
        if newest is not None and presence.connections_of(user) > 1:
            memory.versions[user] = newest + 1


def patch() -> None:
    around(business, "answer_logins", logins)


MUTANT = Mutant(
    "replacements_use_up_a_version",
    breaks=("DLV.4",),
    story="that a device was replaced is an event of the user, and events are numbered",
    patch=patch,
)

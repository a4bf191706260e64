from typing import Any

from sqlalchemy import func, select

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.names import is_group
from refserver.storage import Storage
from refserver.storage.schema import friendships


def load(load: Any, self: Any, wanted: Any, changes_seen: int) -> Any:
    changes, loaded = load(self, wanted, changes_seen)
    if loaded is not None:
        senders = {sender for sender, _, _ in wanted.sends}
        for name in loaded.newest_sequence:
            if not is_group(name) and any(map(_has_nobody(self), senders & set(name.split(":")))):
                loaded.friends.add(name)
    return changes, loaded


def _has_nobody(storage: Any) -> Any:
    def has_nobody(user: str) -> bool:
        with storage.engine.connect() as connection:
            return not connection.scalar(
                select(func.count()).select_from(friendships).where(friendships.c.user == user)
            )

    return has_nobody


def patch() -> None:
    around(Storage, "load", load)


MUTANT = Mutant(
    "the_friendless_may_write_to_everybody",
    breaks=("DLV.8",),
    story="an empty list of friends is taken for no list, and no list lets everybody through",
    patch=patch,
)

import time
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol import frames
from protocol.names import is_group
from refserver.access.connection import State
from refserver.access.node import AccessNode


def push(push: Any, self: Any, user: str, entry: Any, except_connection: Any = None) -> None:
    presence = self._users.get(user)
    devices = presence.devices() if presence is not None else []
    if not is_group(entry.conversation) or len(devices) < 2:
        push(self, user, entry, except_connection)
        return
    presence.newest = max(presence.newest, entry.version)
    for each in [one for one in devices if one.state is State.READY and one.number != except_connection][:1]:
        self._push_to(each, entry, frames.encode(entry), time.monotonic())


def patch() -> None:
    around(AccessNode, "push", push)


MUTANT = Mutant(
    "groups_pushed_to_one_device_of_a_user",
    breaks=("ROM.1",),
    story="in groups a node pushes to one connection of each user",
    patch=patch,
)

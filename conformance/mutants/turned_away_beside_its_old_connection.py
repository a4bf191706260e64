from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.errors import ErrorCode
from refserver.access.connection import State
from refserver.access.node import AccessNode


def login(login: Any, self: Any, connection: Any, message: Any) -> None:
    user = self._verifier.verify(message.token)
    presence = self._users.get(user)
    held = presence.devices() if presence is not None else []
    if any(each.device == message.device and each.state is State.READY for each in held):
        self._fail(connection, ErrorCode.LOGIN_REPLACED, "this device is logged in")
    else:
        login(self, connection, message)


def patch() -> None:
    around(AccessNode, "_login", login)


MUTANT = Mutant(
    "turned_away_beside_its_old_connection",
    breaks=("HBT.2",),
    story="a device may log in again once its old connection is gone",
    patch=patch,
)

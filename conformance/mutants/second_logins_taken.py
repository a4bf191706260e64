import sys
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol import frames
from protocol.messages import LoggedIn, Login, decode_body
from refserver.access.connection import State
from refserver.access.node import AccessNode


def take(take: Any, self: Any, connection: Any, kind: int, body: bytes) -> None:
    if kind != Login.TYPE or connection.state is not State.READY:
        take(self, connection, kind, body)
        return
    login = decode_body(kind, body)
    assert isinstance(login, Login)
    user = self._verifier.verify(login.token)
    connection.device = sys.intern(login.device)
    connection.presence = self._users.join(user, connection)
    self._service.attach(self, connection.number, user, connection.device)
    answer = LoggedIn(user, connection.number, 0, connection.heartbeat_s, [], 0, self.name)
    self.lines.send(connection, frames.encode(answer))


def patch() -> None:
    around(AccessNode, "_take", take)


MUTANT = Mutant(
    "second_logins_taken",
    breaks=("SEC.5",),
    story="a connection may log in again as somebody else, and goes on to get what was for the first",
    patch=patch,
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, read_unasked
from protocol.messages import Pushed, decode_body
from refserver.access.node import AccessNode


def take(take: Any, self: Any, connection: Any, kind: int, body: bytes) -> None:
    if kind == Pushed.TYPE and connection.presence is not None and connection.window is not None:
        message = decode_body(kind, body)
        assert isinstance(message, Pushed)
        safe = [each.entry for each in connection.window._pushes if each.entry.version <= message.version]
        read_unasked(self._service, connection.presence.user, safe)
    take(self, connection, kind, body)


def patch() -> None:
    around(AccessNode, "_take", take)


MUTANT = Mutant(
    "acknowledged_is_read",
    breaks=("UNR.1",),
    story="PUSHED is taken to say that somebody has looked at it",
    patch=patch,
)

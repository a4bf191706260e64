from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol import frames
from protocol.messages import Pong
from refserver.access.node import AccessNode


def patch() -> None:
    left_out: dict[int, int] = {}

    def push_to(push_to: Any, self: Any, connection: Any, entry: Any, frame: bytes, now: float) -> None:
        window = connection.window
        if window is not None and not window.has_room(len(frame)):
            left_out.setdefault(connection.number, entry.version)
        push_to(self, connection, entry, frame, now)

    def pong(_: Any, self: Any, connection: Any) -> bytes:
        newest = connection.presence.newest
        told = min(newest, left_out.get(connection.number, newest + 1) - 1)
        return frames.encode(Pong(told, connection.heartbeat_s))

    around(AccessNode, "_push_to", push_to)
    around(AccessNode, "_pong", pong)


MUTANT = Mutant(
    "beats_stop_where_pushes_stop",
    breaks=("DLV.5",),
    story="PONG tells the version of the last push, also where pushes were left out because too many wait",
    patch=patch,
)

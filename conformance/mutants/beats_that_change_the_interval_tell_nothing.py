from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol import frames
from protocol.messages import Pong
from refserver.access.node import AccessNode


def beat(beat: Any, self: Any, connection: Any, ping: Any) -> None:
    if ping.heartbeat_s is None:
        beat(self, connection, ping)
        return
    connection.heartbeat_s = self._negotiated(ping.heartbeat_s)
    self._deadlines.watch(connection)
    self.lines.send(connection, frames.encode(Pong(0, connection.heartbeat_s)))


def patch() -> None:
    around(AccessNode, "_beat", beat)


MUTANT = Mutant(
    "beats_that_change_the_interval_tell_nothing",
    breaks=("DLV.5",),
    story="a PING with an interval is answered about the interval",
    patch=patch,
)

import socket
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.carriers.websocket import WebSocketCarrying
from refserver.access.lines import Lines


def opened(opened: Any, self: Any, fd: int, door: int, now: float) -> Any:
    if isinstance(self._carried.get(fd), WebSocketCarrying):
        connection = socket.socket(fileno=fd)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 0)
        connection.detach()
    return opened(self, fd, door, now)


def patch() -> None:
    around(Lines, "_open", opened)


MUTANT = Mutant(
    "no_keepalive_on_websockets",
    breaks=("HBT.5",),
    story="the listener for WebSockets comes from a library, and that sets no keepalive",
    patch=patch,
    carriers=("ws",),
)

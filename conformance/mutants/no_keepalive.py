import socket
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from reactor import sockets


def accept(accept: Any, listener: Any) -> Any:
    accepted = accept(listener)
    for fd in accepted:
        connection = socket.socket(fileno=fd)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 0)
        connection.detach()
    return accepted


def patch() -> None:
    around(sockets, "accept_batch", accept)


MUTANT = Mutant(
    "no_keepalive",
    breaks=("HBT.5",),
    story="the application has heartbeats, so TCP is left without",
    patch=patch,
)

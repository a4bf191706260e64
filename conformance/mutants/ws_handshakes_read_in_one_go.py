from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.carriers.websocket import WebSocketCarrying


def opened(opened: Any, self: Any, request: bytes) -> bytes:
    return bytes(opened(self, request if b"\r\n\r\n" in request else b"POST / HTTP/1.1\r\n\r\n"))


def patch() -> None:
    around(WebSocketCarrying, "_open", opened)


MUTANT = Mutant(
    "ws_handshakes_read_in_one_go",
    breaks=("WAY.3",),
    story="the request that opens a WebSocket is thought to come in one piece",
    patch=patch,
    carriers=("ws",),
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, put
from protocol import websocket
from protocol.websocket import Channel


def patch() -> None:
    gathered: dict[int, tuple[Any, list[bytes]]] = {}

    def receive(receive: Any, self: Any, data: bytes) -> bytes:
        plain: bytes = receive(self, data)
        if self._is_client:
            return plain
        _, held = gathered.setdefault(id(self), (self, []))
        held.append(plain)
        if self._in_message:
            return b""
        whole = b"".join(held)
        held.clear()
        return whole

    put(websocket, "MAX_MESSAGE_BYTES", 1 << 40)
    around(Channel, "receive", receive)


MUTANT = Mutant(
    "ws_fragments_gathered_without_bound",
    breaks=("SEC.6",),
    story="a message is gathered until its last fragment, however many come",
    patch=patch,
    carriers=("ws",),
)

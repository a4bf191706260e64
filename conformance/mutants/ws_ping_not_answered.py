from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.websocket import Channel, Opcode


def control(control: Any, self: Any, opcode: int, content: bytes) -> None:
    if opcode != Opcode.PING:
        control(self, opcode, content)


def patch() -> None:
    around(Channel, "_control", control)


MUTANT = Mutant(
    "ws_ping_not_answered",
    breaks=("WAY.3",),
    story="the protocol has heartbeats of its own, so those of the WebSocket are passed over",
    patch=patch,
    carriers=("ws",),
)

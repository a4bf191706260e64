from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.websocket import Channel, Opcode


def control(control: Any, self: Any, opcode: int, content: bytes) -> None:
    control(self, opcode, b"" if opcode == Opcode.PING else content)


def patch() -> None:
    around(Channel, "_control", control)


MUTANT = Mutant(
    "ws_pong_without_its_payload",
    breaks=("WAY.3",),
    story="a PING is answered with an empty PONG",
    patch=patch,
    carriers=("ws",),
)

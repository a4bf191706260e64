from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.websocket import Channel, Opcode


def judged(judged: Any, self: Any, first: int, second: int) -> int:
    if Opcode.BINARY < first & 0x0F < Opcode.CLOSE:
        first = first & 0xF0 | Opcode.BINARY
    opcode: int = judged(self, first, second)
    return opcode


def patch() -> None:
    around(Channel, "_judged", judged)


MUTANT = Mutant(
    "ws_unknown_opcodes_taken",
    breaks=("WAY.3",),
    story="an opcode that nobody knows is taken for a binary message",
    patch=patch,
    carriers=("ws",),
)

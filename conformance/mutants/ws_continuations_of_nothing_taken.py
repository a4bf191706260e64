from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.websocket import Channel, Opcode


def judged(judged: Any, self: Any, first: int, second: int) -> int:
    if not self._in_message and first & 0x0F == Opcode.CONTINUATION:
        first |= Opcode.BINARY
    opcode: int = judged(self, first, second)
    return opcode


def patch() -> None:
    around(Channel, "_judged", judged)


MUTANT = Mutant(
    "ws_continuations_of_nothing_taken",
    breaks=("WAY.3",),
    story="a fragment that continues nothing is a message",
    patch=patch,
    carriers=("ws",),
)

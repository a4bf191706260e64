from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.websocket import Channel, Opcode


def control(control: Any, self: Any, opcode: int, content: bytes) -> None:
    if opcode == Opcode.CLOSE and not content:
        self._close_sent = True
    control(self, opcode, content)


def patch() -> None:
    around(Channel, "_control", control)


MUTANT = Mutant(
    "ws_close_without_a_code_not_answered",
    breaks=("WAY.3",),
    story="a CLOSE is read for its code, and one without any is nothing",
    patch=patch,
    carriers=("ws",),
)

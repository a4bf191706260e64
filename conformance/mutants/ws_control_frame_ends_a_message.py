from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.websocket import Channel


def control(control: Any, self: Any, opcode: int, content: bytes) -> None:
    control(self, opcode, content)
    self._in_message = False


def patch() -> None:
    around(Channel, "_control", control)


MUTANT = Mutant(
    "ws_control_frame_ends_a_message",
    breaks=("WAY.3",),
    story="a PING between the fragments of a message makes its rest a new one",
    patch=patch,
    carriers=("ws",),
)

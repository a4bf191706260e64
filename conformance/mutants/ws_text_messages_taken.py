from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.websocket import Channel, Opcode


def judged(judged: Any, self: Any, first: int, second: int) -> Any:
    is_text = first & 0x0F == Opcode.TEXT and not self._is_client
    return judged(self, first + 1 if is_text else first, second)


def patch() -> None:
    around(Channel, "_judged", judged)


MUTANT = Mutant(
    "ws_text_messages_taken",
    breaks=("WAY.3",),
    story="a message is a message, text or binary",
    patch=patch,
    carriers=("ws",),
)

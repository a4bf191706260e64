from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.websocket import Channel, CloseCode, _Broken


def judged(judged: Any, self: Any, first: int, second: int) -> int:
    opcode: int = judged(self, first, second)
    if not self._is_client and second & 0x7F == 127:
        raise _Broken("a message too large", CloseCode.TOO_BIG)
    return opcode


def patch() -> None:
    around(Channel, "_judged", judged)


MUTANT = Mutant(
    "ws_lengths_of_eight_bytes_not_understood",
    breaks=("WAY.3",),
    story="a message of 64 KiB and more is thought to be an attack",
    patch=patch,
    carriers=("ws",),
)

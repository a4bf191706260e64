from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.websocket import Channel


def piece_ended(_: Any, self: Any) -> None:
    if not self._in_message:
        self._came, self._message = 0, b""


def patch() -> None:
    around(Channel, "_piece_ended", piece_ended)


MUTANT = Mutant(
    "ws_two_frames_in_a_message_taken",
    breaks=("WAY.3",),
    story="the payload of messages is a stream, cut anywhere",
    patch=patch,
    carriers=("ws",),
)

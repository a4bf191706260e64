from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.websocket import Channel


def judged(judged: Any, self: Any, first: int, second: int) -> Any:
    return judged(self, first, second if self._is_client else second | 0x80)


def patch() -> None:
    around(Channel, "_judged", judged)


MUTANT = Mutant(
    "ws_unmasked_frames_taken",
    breaks=("WAY.3",),
    story="frames are unmasked where they are masked, and taken where they are not",
    patch=patch,
    carriers=("ws",),
)

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.websocket import Channel


def close(close: Any, self: Any, *why: Any) -> None:
    if self.ended is None or self.is_broken:
        close(self, *why)
    else:
        self._close_sent = True


def patch() -> None:
    around(Channel, "close", close)


MUTANT = Mutant(
    "ws_close_not_answered",
    breaks=("WAY.3",),
    story="a CLOSE ends the connection, and nothing is said to it",
    patch=patch,
    carriers=("ws",),
)

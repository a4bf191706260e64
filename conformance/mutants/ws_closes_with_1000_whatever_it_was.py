from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.websocket import Channel, CloseCode


def patch() -> None:
    around(Channel, "close", lambda close, self, *why: close(self, CloseCode.NORMAL, *why[1:]))


MUTANT = Mutant(
    "ws_closes_with_1000_whatever_it_was",
    breaks=("WAY.3",),
    story="the end of a WebSocket is always said to be normal",
    patch=patch,
    carriers=("ws",),
)

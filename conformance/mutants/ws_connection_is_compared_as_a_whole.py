from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.carriers import websocket


def patch() -> None:
    around(websocket, "_tokens", lambda tokens, value: [value.strip().lower()])


MUTANT = Mutant(
    "ws_connection_is_compared_as_a_whole",
    breaks=("WAY.3",),
    story='"Connection: keep-alive, Upgrade", as some browsers write it, is not taken for Upgrade',
    patch=patch,
    carriers=("ws",),
)

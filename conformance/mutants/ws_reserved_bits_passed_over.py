from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.websocket import Channel


def patch() -> None:
    around(Channel, "_judged", lambda judged, self, first, second: judged(self, first & 0x8F, second))


MUTANT = Mutant(
    "ws_reserved_bits_passed_over",
    breaks=("WAY.3",),
    story="bits of extensions that were never agreed on are masked away",
    patch=patch,
    carriers=("ws",),
)

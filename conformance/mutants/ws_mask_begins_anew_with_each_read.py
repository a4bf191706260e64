from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.websocket import Channel


def patch() -> None:
    keys: dict[int, bytes] = {}

    def head(head: Any, self: Any, *place: Any) -> Any:
        end = head(self, *place)
        keys[id(self)] = self._key
        return end

    def receive(receive: Any, self: Any, data: bytes) -> Any:
        if self._left:
            self._key = keys[id(self)]
        return receive(self, data)

    around(Channel, "_head", head)
    around(Channel, "receive", receive)


MUTANT = Mutant(
    "ws_mask_begins_anew_with_each_read",
    breaks=("WAY.3",),
    story="what comes in two reads is unmasked as if each were a frame",
    patch=patch,
    carriers=("ws",),
)

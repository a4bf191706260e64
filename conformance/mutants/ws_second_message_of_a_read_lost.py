from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol import frames
from protocol.websocket import Channel


def patch() -> None:
    def receive(receive: Any, self: Any, data: bytes) -> bytes:
        payload: bytes = receive(self, data)
        size = (
            frames.whole_frame_bytes(payload, 0) if payload[:1] == b"\xc7" and not self._is_client else None
        )
        return payload if size is None else payload[:size]

    around(Channel, "receive", receive)


MUTANT = Mutant(
    "ws_second_message_of_a_read_lost",
    breaks=("WAY.3",),
    story="a read brings one message: that there may be more behind it is not looked at",
    patch=patch,
    carriers=("ws",),
)

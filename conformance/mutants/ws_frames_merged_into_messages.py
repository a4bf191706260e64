from typing import Any

import gevent

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol import websocket
from protocol.websocket import Opcode
from refserver.access.carriers.websocket import WebSocketCarrying
from refserver.access.lines import Lines


def patch() -> None:
    waiting: dict[int, bytes] = {}

    def send(send: Any, self: Any, connection: Any, frame: bytes) -> None:
        if not isinstance(self._carried.get(connection.fd), WebSocketCarrying):
            send(self, connection, frame)
            return
        if connection.number not in waiting:
            waiting[connection.number] = b""
            gevent.get_hub().loop.run_callback(flush, send, self, connection)
        waiting[connection.number] += frame

    def flush(send: Any, self: Any, connection: Any) -> None:
        together = waiting.pop(connection.number)
        if self.get(connection.number) is not None:
            self._queue(connection, websocket.encode(Opcode.BINARY, together, masked=False))

    around(Lines, "send", send)


MUTANT = Mutant(
    "ws_frames_merged_into_messages",
    breaks=("WAY.3",),
    story="what is written together goes out as one message",
    patch=patch,
    carriers=("ws",),
)

"""Chat frames: an 8-byte header with the length, then the body."""

import re

from chaos.framers import Framer, NotFramed, framer
from protocol.errors import RemoteProtocolError
from protocol.frames import whole_frame_bytes
from protocol.limits import HEADER_BYTES, MAGIC
from protocol.messages import BY_TYPE

_KINDS = {
    number: re.sub(r"(?<=[a-z])(?=[A-Z])", "_", message.__name__).lower()
    for number, message in BY_TYPE.items()
}


@framer
class Chat(Framer):
    """Kinds are the messages of the protocol: login, ping, send, send_package, push, pushed…"""

    name = "chat"
    kinds = frozenset(_KINDS.values())
    first_bytes = bytes([MAGIC])
    head_bytes = HEADER_BYTES

    def length(self, data: bytes | bytearray, at: int) -> int | None:
        try:
            length = whole_frame_bytes(data, at)
        except RemoteProtocolError as error:
            raise NotFramed(str(error)) from None
        # One wrong byte is enough: no short line of text is held for a header.
        if length is None and at < len(data) and data[at] != MAGIC:
            raise NotFramed("not a frame of the chat protocol")
        return length

    def kind(self, message: bytes) -> str:
        return _KINDS.get(message[1]) or f"0x{message[1]:02x}"

    def body_at(self, message: bytes) -> int:
        return HEADER_BYTES

    def spoil(self, message: bytes, draw: float) -> bytes:
        return bytes([MAGIC ^ 1 << int(draw * 8)]) + message[1:]

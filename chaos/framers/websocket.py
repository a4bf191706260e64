"""WebSocket messages (RFC 6455): after the opening handshake, frames, of which several can be one message."""

from itertools import cycle

from chaos.framers import Framer, NotFramed, by_first_byte, framer

MAX_HANDSHAKE_BYTES = 16 * 1024

_FIN, _RESERVED, _OPCODE, _MASKED, _LENGTH = 0x80, 0x70, 0x0F, 0x80, 0x7F
_KINDS = {0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}
_CONTROL, _TEXT, _BINARY = 8, 1, 2
_START_BYTES = 64
"""Enough of a message within to tell its kind."""


@framer
class WebSocket(Framer):
    """The handshake always passes. Kinds: text, binary, ping, pong, close; a message that holds one of
    another protocol known here, as chat and XMPP have it, is of that one's kind."""

    name = "websocket"
    kinds = frozenset(_KINDS.values()) - {"continuation"}
    first_bytes = b"GH"
    head_bytes = 14
    fragments = True
    has_prelude = True

    def prelude(self, head: bytes) -> int | None:
        for start in (b"GET ", b"HTTP/1.1 101"):
            if head[: len(start)] != start[: len(head)]:
                continue
            end = head.find(b"\r\n\r\n")
            if end < 0:
                if len(head) > MAX_HANDSHAKE_BYTES:
                    raise NotFramed("no end of a handshake")
                return None
            if b"\r\nupgrade: websocket" not in head[: end + 2].lower():
                raise NotFramed("HTTP, but no WebSocket")
            return end + 4
        raise NotFramed("no handshake of a WebSocket")

    def length(self, data: bytes | bytearray, at: int) -> int | None:
        have = len(data) - at
        if have >= 1 and (data[at] & _OPCODE) not in _KINDS:
            raise NotFramed(f"0x{data[at]:02x} begins no WebSocket frame")
        if have < 2:
            return None
        size, head = data[at + 1] & _LENGTH, 2
        if size >= 126:
            head = 4 if size == 126 else 10
            if have < head:
                return None
            size = int.from_bytes(data[at + 2 : at + head], "big")
        return head + (4 if data[at + 1] & _MASKED else 0) + size

    def opens(self, data: bytes | bytearray, at: int, is_open: bool) -> bool:
        return is_open if data[at] & _OPCODE >= _CONTROL else not data[at] & _FIN

    def kind(self, message: bytes) -> str:
        opcode, at = message[0] & _OPCODE, self.body_at(message)
        if opcode in (_TEXT, _BINARY) and len(message) - at >= 2:
            start = message[at : at + _START_BYTES]
            if message[1] & _MASKED:
                key = message[at - 4 : at]
                start = bytes(a ^ b for a, b in zip(start, cycle(key), strict=False))
            inner = by_first_byte().get(start[0])
            if inner is not None and inner is not self:
                return inner.kind(start)
        return _KINDS[opcode]

    def body_at(self, message: bytes) -> int:
        size = message[1] & _LENGTH
        return {126: 4, 127: 10}.get(size, 2) + (4 if message[1] & _MASKED else 0)

    def spoil(self, message: bytes, draw: float) -> bytes:
        # Reserved bits without an extension (5.2): the connection has to be failed.
        return bytes([message[0] | _RESERVED]) + message[1:]

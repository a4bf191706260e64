"""WebSocket handshake and framing: however bytes are cut, payload and end are the same; nothing is raised."""

from random import Random

from fuzzing import damaged, pieces, target

from protocol import frames
from protocol.messages import Ping, Pull, Send
from protocol.websocket import MAX_MESSAGE_BYTES, Channel, Opcode, apply_mask
from refserver.access.carriers.websocket import WebSocketCarrying

_CHAT = [frames.encode(each) for each in (Ping(), Ping(5), Pull(0, 9), Send("c", "b", "text", b"x" * 300))]
_CONTENT = (b"", b"\x03\xe8", b"\x03\xe8bye", b"\x03\xed", b"\x00", b"\x03\xe8\xff", b"p" * 125, b"p" * 126)
_SIZES = (0, 125, 126, 127, 65535, 65536, MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES + 1, 1 << 62, (1 << 64) - 1)
_REQUEST = (
    b"GET /v1/ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@target("websocket")
class WebSocket:
    def __init__(self, chance: Random) -> None:
        self._another = b""

    def next_input(self, chance: Random) -> bytes:
        data = b"".join(self._message(chance) for _ in range(chance.choice((1, 1, 2, 4))))
        self._another, other = data, self._another
        return damaged(data, chance, other) if chance.random() < 0.5 else data

    def _message(self, chance: Random) -> bytes:
        masked = chance.random() < 0.8
        if chance.random() < 0.3:
            opcode = chance.choice((Opcode.PING, Opcode.PONG, Opcode.CLOSE, *range(16)))
            return _frame(0x80 | opcode, chance.choice(_CONTENT), masked, chance)
        parts = pieces(chance.choice(_CHAT), chance)
        first = [Opcode.BINARY, *[Opcode.CONTINUATION] * (len(parts) - 1)]
        heads = [int(opcode) for opcode in first]
        heads[-1] |= 0x80
        return b"".join(_frame(head, part, masked, chance) for head, part in zip(heads, parts, strict=True))

    def feed(self, data: bytes, chance: Random) -> None:
        is_client = chance.random() < 0.2
        whole, cut = Channel(is_client=is_client), Channel(is_client=is_client)
        payload, said = whole.receive(data), whole.take()
        passed_on = b"".join(map(cut.receive, pieces(data, chance)))
        assert (whole.ended, whole.is_broken) == (cut.ended, cut.is_broken)
        # Of a message that turns out to be broken, what had come before may have been passed on.
        assert passed_on == payload or (whole.is_broken and passed_on.startswith(payload))
        assert len(payload) <= len(data)
        peer = Channel(is_client=not is_client)
        assert peer.receive(said) == b"", "of its own accord a side says control frames only"
        assert not peer.is_broken, f"{peer.ended} in {said!r}"
        if chance.random() < 0.3:
            self._open(data, chance)

    def _open(self, data: bytes, chance: Random) -> None:
        request = damaged(_REQUEST, chance, data) if chance.random() < 0.3 else _REQUEST
        carrier = WebSocketCarrying()
        for piece in pieces(request + data, chance):
            carrier.receive(piece)
            said = carrier.take()
            assert not said.startswith(b"HTTP/") or b"\r\n\r\n" in said, said
        carrier.close()
        carrier.seal(_CHAT[0])

    def close(self) -> None:
        """Nothing is open."""


def _frame(first: int, payload: bytes, masked: bool, chance: Random) -> bytes:
    size, bit = len(payload), 0x80 if masked else 0
    if chance.random() < 0.05:
        size = chance.choice(_SIZES)
    if size < 126:
        head = bytes((first, bit | size))
    elif size < 1 << 16:
        head = bytes((first, bit | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, bit | 127)) + size.to_bytes(8, "big")
    key = chance.randbytes(4)
    return head + key + apply_mask(payload, key) if masked else head + payload

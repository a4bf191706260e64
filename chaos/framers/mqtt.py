"""MQTT control packets, 3.1.1 (section 2) and 5.0: type and flags, length in one to four bytes, the rest."""

from chaos.framers import Framer, NotFramed, framer

_KINDS = (
    "reserved", "connect", "connack", "publish", "puback", "pubrec", "pubrel", "pubcomp", "subscribe",
    "suback", "unsubscribe", "unsuback", "pingreq", "pingresp", "disconnect", "auth",
)  # fmt: skip
_PUBLISH = 3
_FLAGS = {6: 2, 8: 2, 10: 2}
"""Fixed flags of the types that have any; those of PUBLISH are its own."""
_LENGTH_BYTES = 4


@framer
class Mqtt(Framer):
    """Kinds are the packets' names: connect, publish, puback, pingreq…"""

    name = "mqtt"
    kinds = frozenset(_KINDS[1:])
    first_bytes = b"\x10\x20"
    head_bytes = 1 + _LENGTH_BYTES

    def length(self, data: bytes | bytearray, at: int) -> int | None:
        if at >= len(data):
            return None
        kind, flags = data[at] >> 4, data[at] & 0x0F
        if not kind or (kind != _PUBLISH and flags != _FLAGS.get(kind, 0)):
            raise NotFramed(f"0x{data[at]:02x} begins no MQTT packet")
        size = 0
        for index in range(_LENGTH_BYTES):
            place = at + 1 + index
            if place >= len(data):
                return None
            size |= (data[place] & 0x7F) << 7 * index
            if data[place] < 0x80:
                return 2 + index + size
        raise NotFramed("the length of an MQTT packet has more than four bytes")

    def kind(self, message: bytes) -> str:
        return _KINDS[message[0] >> 4]

    def body_at(self, message: bytes) -> int:
        return next(index for index in range(1, self.head_bytes) if message[index] < 0x80) + 1

    def spoil(self, message: bytes, draw: float) -> bytes:
        # Type 0 is forbidden (2.1.2): the connection has to be closed.
        return bytes([message[0] & 0x0F]) + message[1:]

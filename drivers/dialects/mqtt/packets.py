"""MQTT control packets, 3.1.1 and 5, both ways: what a client needs, and what it takes to play the broker.

No state and no I/O: `encode` makes the bytes of a packet, `split` cuts a stream into packets, `decode` reads
one.
"""

from collections.abc import Callable
from enum import IntEnum
from typing import Any

import msgspec

from drivers.dialects.mqtt.fields import Properties, Reader, properties, sized, text, variable
from protocol.errors import RemoteProtocolError

VERSIONS = {"3.1.1": 4, "5": 5}
"""Protocol levels (3.1.2.2)."""
V5 = 5
MOST_PACKET_BYTES = 4 << 20
"""A larger packet is refused before it is held."""


class Kind(IntEnum):
    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14


class Connect(msgspec.Struct, frozen=True):
    client: str
    user: str
    password: bytes
    keep_alive_s: int
    clean: bool = False
    properties: Properties = {}


class ConnAck(msgspec.Struct, frozen=True):
    session_present: bool
    code: int
    properties: Properties = {}


class Publish(msgspec.Struct, frozen=True):
    """`packet` is None with QoS 0."""

    topic: str
    payload: bytes
    qos: int
    packet: int | None
    dup: bool = False
    retain: bool = False
    properties: Properties = {}


class Answer(msgspec.Struct, frozen=True):
    """PUBACK, PUBREC, PUBREL or PUBCOMP; 3.1.1 has no `code`."""

    kind: Kind
    packet: int
    code: int = 0
    properties: Properties = {}


class Subscribe(msgspec.Struct, frozen=True):
    """`filters`: each with its options, which in 3.1.1 are the QoS alone."""

    packet: int
    filters: tuple[tuple[str, int], ...]
    properties: Properties = {}


class SubAck(msgspec.Struct, frozen=True):
    packet: int
    codes: tuple[int, ...]
    properties: Properties = {}


class PingReq(msgspec.Struct, frozen=True):
    pass


class PingResp(msgspec.Struct, frozen=True):
    pass


class Disconnect(msgspec.Struct, frozen=True):
    code: int = 0
    properties: Properties = {}


Packet = Connect | ConnAck | Publish | Answer | Subscribe | SubAck | PingReq | PingResp | Disconnect

PINGREQ, PINGRESP = bytes((Kind.PINGREQ << 4, 0)), bytes((Kind.PINGRESP << 4, 0))


def encode(packet: Packet, level: int) -> bytes:
    """The bytes of a packet. Raises LocalProtocolError for what no packet can hold."""
    first, body = _ENCODERS[type(packet)](packet, level)
    return bytes((first,)) + variable(len(body)) + body


def split(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the body of the packet at `at` begins and ends; None while its head is not whole (2.1.4).

    Raises RemoteProtocolError for a head that is none, and for a packet of over MOST_PACKET_BYTES.
    """
    size, have = 0, len(data)
    for index in range(4):
        place = at + 1 + index
        if place >= have:
            return None
        byte = data[place]
        size |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            if size > MOST_PACKET_BYTES:
                raise RemoteProtocolError(f"a packet of {size:,} bytes")
            return place + 1, place + 1 + size
    raise RemoteProtocolError("the length of a packet has more than four bytes")


def decode(first: int, body: bytes, level: int) -> Packet:
    """The packet of that first byte and body. Raises RemoteProtocolError."""
    read = _DECODERS.get(first >> 4)
    if read is None:
        raise RemoteProtocolError(f"0x{first:02x} begins no packet that is known here")
    if first >> 4 != Kind.PUBLISH and first & 0x0F != _FLAGS.get(first >> 4, 0):
        raise RemoteProtocolError(f"0x{first:02x}: flags that are reserved")
    return read(first, Reader(body), level)


_FLAGS: dict[int, int] = {Kind.PUBREL: 2, Kind.SUBSCRIBE: 2}
_USER, _PASSWORD, _CLEAN = 0x80, 0x40, 0x02


def _properties(values: Properties, level: int) -> bytes:
    return properties(values) if level == V5 else b""


def _connect(packet: Connect, level: int) -> tuple[int, bytes]:
    flags = (_USER if packet.user else 0) | (_PASSWORD if packet.password else 0)
    head = text("MQTT") + bytes((level, flags | (_CLEAN if packet.clean else 0)))
    head += packet.keep_alive_s.to_bytes(2, "big") + _properties(packet.properties, level)
    name = text(packet.user) if packet.user else b""
    return Kind.CONNECT << 4, head + text(packet.client) + name + (
        sized(packet.password) if packet.password else b""
    )


def _read_connect(first: int, body: Reader, level: int) -> Connect:
    if body.text() != "MQTT" or body.number(1) != level:
        raise RemoteProtocolError("another protocol or version")
    flags, keep_alive_s = body.number(1), body.number(2)
    if flags & ~(_USER | _PASSWORD | _CLEAN):
        raise RemoteProtocolError("a will, which nothing here leaves, or a reserved flag")
    values = body.properties() if level == V5 else {}
    client = body.text()
    user = body.text() if flags & _USER else ""
    password = body.sized() if flags & _PASSWORD else b""
    body.end()
    return Connect(client, user, password, keep_alive_s, bool(flags & _CLEAN), values)


def _connack(packet: ConnAck, level: int) -> tuple[int, bytes]:
    head = bytes((packet.session_present, packet.code))
    return Kind.CONNACK << 4, head + _properties(packet.properties, level)


def _read_connack(first: int, body: Reader, level: int) -> ConnAck:
    flags, code = body.number(1), body.number(1)
    if flags > 1:
        raise RemoteProtocolError("reserved flags of a CONNACK")
    # A broker that does not know version 5 says so in the words of 3.1.1.
    values = body.properties() if level == V5 and body.left else {}
    body.end()
    return ConnAck(bool(flags), code, values)


def _publish(packet: Publish, level: int) -> tuple[int, bytes]:
    first = Kind.PUBLISH << 4 | packet.dup << 3 | packet.qos << 1 | packet.retain
    number = b"" if packet.packet is None else packet.packet.to_bytes(2, "big")
    return first, text(packet.topic) + number + _properties(packet.properties, level) + packet.payload


def _read_publish(first: int, body: Reader, level: int) -> Publish:
    qos = first >> 1 & 3
    if qos == 3 or (not qos and first & 8):
        raise RemoteProtocolError(f"0x{first:02x}: a PUBLISH with flags that make no sense")
    topic = body.text()
    if "+" in topic or "#" in topic:
        raise RemoteProtocolError("a message to a wildcard")
    number = _number(body) if qos else None
    values = body.properties() if level == V5 else {}
    return Publish(topic, body.rest(), qos, number, bool(first & 8), bool(first & 1), values)


def _answer(packet: Answer, level: int) -> tuple[int, bytes]:
    body = packet.packet.to_bytes(2, "big")
    if level == V5 and (packet.code or packet.properties):
        body += bytes((packet.code,)) + properties(packet.properties)
    return packet.kind << 4 | _FLAGS.get(packet.kind, 0), body


def _read_answer(first: int, body: Reader, level: int) -> Answer:
    number = _number(body)
    # Both may be left out (3.4.2.1).
    code = body.number(1) if level == V5 and body.left else 0
    values = body.properties() if level == V5 and body.left else {}
    body.end()
    return Answer(Kind(first >> 4), number, code, values)


def _subscribe(packet: Subscribe, level: int) -> tuple[int, bytes]:
    body = packet.packet.to_bytes(2, "big") + _properties(packet.properties, level)
    body += b"".join(text(each) + bytes((options,)) for each, options in packet.filters)
    return Kind.SUBSCRIBE << 4 | 2, body


def _read_subscribe(first: int, body: Reader, level: int) -> Subscribe:
    number = _number(body)
    values = body.properties() if level == V5 else {}
    filters = []
    while body.left:
        filters.append((body.text(), body.number(1)))
    if not filters:
        raise RemoteProtocolError("a SUBSCRIBE to nothing")
    return Subscribe(number, tuple(filters), values)


def _suback(packet: SubAck, level: int) -> tuple[int, bytes]:
    head = packet.packet.to_bytes(2, "big") + _properties(packet.properties, level)
    return Kind.SUBACK << 4, head + bytes(packet.codes)


def _read_suback(first: int, body: Reader, level: int) -> SubAck:
    number = _number(body)
    values = body.properties() if level == V5 else {}
    return SubAck(number, tuple(body.rest()), values)


def _disconnect(packet: Disconnect, level: int) -> tuple[int, bytes]:
    body = b""
    if level == V5 and (packet.code or packet.properties):
        body = bytes((packet.code,)) + properties(packet.properties)
    return Kind.DISCONNECT << 4, body


def _read_disconnect(first: int, body: Reader, level: int) -> Disconnect:
    code = body.number(1) if level == V5 and body.left else 0
    values = body.properties() if level == V5 and body.left else {}
    body.end()
    return Disconnect(code, values)


def _empty(packet: Packet, level: int) -> tuple[int, bytes]:
    return (Kind.PINGREQ if isinstance(packet, PingReq) else Kind.PINGRESP) << 4, b""


def _read_empty(first: int, body: Reader, level: int) -> Packet:
    body.end()
    return PingReq() if first >> 4 == Kind.PINGREQ else PingResp()


def _number(body: Reader) -> int:
    number = body.number(2)
    if not number:
        raise RemoteProtocolError("packet identifier 0")
    return number


# Each takes just the packet it is listed for, hence Any.
_ENCODERS: dict[type[Packet], Callable[[Any, int], tuple[int, bytes]]] = {
    Connect: _connect,
    ConnAck: _connack,
    Publish: _publish,
    Answer: _answer,
    Subscribe: _subscribe,
    SubAck: _suback,
    PingReq: _empty,
    PingResp: _empty,
    Disconnect: _disconnect,
}
_DECODERS: dict[int, Callable[[int, Reader, int], Packet]] = {
    Kind.CONNECT: _read_connect,
    Kind.CONNACK: _read_connack,
    Kind.PUBLISH: _read_publish,
    Kind.PUBACK: _read_answer,
    Kind.PUBREC: _read_answer,
    Kind.PUBREL: _read_answer,
    Kind.PUBCOMP: _read_answer,
    Kind.SUBSCRIBE: _read_subscribe,
    Kind.SUBACK: _read_suback,
    Kind.PINGREQ: _read_empty,
    Kind.PINGRESP: _read_empty,
    Kind.DISCONNECT: _read_disconnect,
}

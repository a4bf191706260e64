"""A bare connection that speaks MQTT 3.1.1, packet by packet, for cases that say what no client would say.

It shares nothing with the dialect, so that a mistake there is not repeated here.
"""

import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import gevent.socket

from conformance.verdicts import not_offered
from drivers.pumps.wire import Expected

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = range(1, 8)
SUBSCRIBE, SUBACK, PINGREQ, PINGRESP = 8, 9, 12, 13
_FLAGS = {PUBREL: 2, SUBSCRIBE: 2}
_NO_SUCH_VERSION = (1, 0x84)
_PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Packet:
    """A control packet as it came: its kind, the four flags beside it, and what follows the length."""

    kind: int
    flags: int
    body: bytes

    @property
    def qos(self) -> int:
        return self.flags >> 1 & 3

    @property
    def is_repeat(self) -> bool:
        """DUP."""
        return bool(self.flags & 8)

    @property
    def number(self) -> int:
        """The packet identifier; of a PUBLISH, behind its topic."""
        at = 2 + int.from_bytes(self.body[:2]) if self.kind == PUBLISH else 0
        return int.from_bytes(self.body[at : at + 2])

    @property
    def payload(self) -> bytes:
        """Of a PUBLISH with a QoS above 0."""
        return self.body[4 + int.from_bytes(self.body[:2]) :]


class BareMqtt:
    """Over plain TCP. It acknowledges nothing by itself."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._socket = gevent.socket.create_connection(address, timeout=_PATIENCE_S)
        self._buffer = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection without a word."""
        self._socket.close()

    def connect(
        self, user: str, secret: str, client_id: str, *, clean: bool = False, keep_alive_s: int = 60
    ) -> Packet:
        """CONNECT; the CONNACK, which has to let us in. Raises Expected, AssertionError; a broker without
        this version of the protocol ends the case as not offered."""
        flags = (0xC0 if secret else 0) | (2 if clean else 0)
        body = _text("MQTT") + bytes([4, flags]) + keep_alive_s.to_bytes(2) + _text(client_id)
        self.say(CONNECT, body + (_text(user) + _text(secret) if secret else b""))
        answer = self.expect(CONNACK)
        if answer.body[1] in _NO_SUCH_VERSION:
            not_offered("the case speaks MQTT 3.1.1, which the broker does not")
        assert answer.body[1] == 0, f"{client_id}: expected to be let in, got return code {answer.body[1]}"
        return answer

    def subscribe(self, topic: str, qos: int) -> None:
        """SUBSCRIBE; granted with this QoS. Raises Expected, AssertionError; a broker that grants less, as it
        may (MQTT-3.8.4-6), ends the case as not offered."""
        self.say(SUBSCRIBE, (1).to_bytes(2) + _text(topic) + bytes([qos]))
        granted = self.expect(SUBACK).body[-1]
        assert granted <= 2, f"{topic}: expected a subscription to be granted, got return code {granted}"
        if granted < qos:
            not_offered(f"the broker grants QoS {granted} to who asks for {qos} (MQTT-3.8.4-6)")

    def publish(self, topic: str, payload: bytes, qos: int, number: int, *, repeat: bool = False) -> None:
        """PUBLISH, and nothing after it."""
        self.say(PUBLISH, _text(topic) + number.to_bytes(2) + payload, qos << 1 | repeat << 3)

    def answer(self, kind: int, number: int) -> None:
        """PUBACK, PUBREC, PUBREL or PUBCOMP."""
        self.say(kind, number.to_bytes(2))

    def say(self, kind: int, body: bytes, flags: int | None = None) -> None:
        """Any packet, whether it makes sense or not."""
        length, left = b"", len(body)
        while True:
            left, digit = left >> 7, left & 127
            length += bytes([digit | (128 if left else 0)])
            if not left:
                break
        self._socket.sendall(
            bytes([kind << 4 | (_FLAGS.get(kind, 0) if flags is None else flags)]) + length + body
        )

    def next(self, timeout_s: float = _PATIENCE_S) -> Packet | None:
        """The next packet; None when the broker closed. Raises Expected when nothing comes in time."""
        until = time.monotonic() + timeout_s
        while (packet := self._whole()) is None:
            self._socket.settimeout(max(0.001, until - time.monotonic()))
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                raise Expected(f"expected a packet or the end within {timeout_s} s") from None
            except ConnectionError:
                return None
            if not data:
                return None
            self._buffer += data
        return packet

    def expect(self, kind: int, timeout_s: float = _PATIENCE_S) -> Packet:
        """The next packet of a kind; others are passed over. Raises Expected."""
        until = time.monotonic() + timeout_s
        came: list[int] = []
        while True:
            packet = self.next(max(0.001, until - time.monotonic()))
            if packet is None:
                raise Expected(f"expected a packet of type {kind}; types {came} came, then the end")
            if packet.kind == kind:
                return packet
            came.append(packet.kind)

    def publishes(self, count: int, timeout_s: float = _PATIENCE_S) -> list[Packet]:
        """So many PUBLISH as they come, acknowledged in full; fewer when no more come in time."""
        found: list[Packet] = []
        until = time.monotonic() + timeout_s
        while len(found) < count:
            try:
                packet = self.next(max(0.001, until - time.monotonic()))
            except Expected:
                break
            if packet is None:
                break
            if packet.kind == PUBLISH:
                found.append(packet)
                if packet.qos:
                    self.answer(PUBACK if packet.qos == 1 else PUBREC, packet.number)
            elif packet.kind == PUBREL:
                self.answer(PUBCOMP, packet.number)
        return found

    def _whole(self) -> Packet | None:
        data, length, shift, at = self._buffer, 0, 0, 1
        while at < len(data):
            length |= (data[at] & 127) << shift
            if data[at] < 128:
                end = at + 1 + length
                if len(data) < end:
                    return None
                self._buffer = data[end:]
                return Packet(data[0] >> 4, data[0] & 15, data[at + 1 : end])
            shift, at = shift + 7, at + 1
        return None


def _text(value: str) -> bytes:
    encoded = value.encode()
    return len(encoded).to_bytes(2) + encoded

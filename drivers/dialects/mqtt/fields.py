"""The fields of MQTT packets: numbers, texts, and the properties of version 5 (sections 1.5 and 2.2)."""

from collections.abc import Callable, Mapping
from typing import Any

from protocol.errors import LocalProtocolError, RemoteProtocolError

MOST_VARIABLE = 268_435_455
MOST_TEXT_BYTES = 65_535

Properties = Mapping[int, Any]
"""Values by identifier: numbers, texts, bytes; of USER a tuple of pairs, of SUBSCRIPTION one of numbers."""

EXPIRY, SERVER_KEEP_ALIVE, REASON, RECEIVE_MAXIMUM = 0x11, 0x13, 0x1F, 0x21
SERVER_REFERENCE, MAXIMUM_QOS, USER, MAXIMUM_PACKET, SUBSCRIPTION = 0x1C, 0x24, 0x26, 0x27, 0x0B


def variable(number: int) -> bytes:
    """A variable byte integer (1.5.5). Raises LocalProtocolError for one that is too large."""
    if number < 0x80:
        return bytes((number,))
    if number > MOST_VARIABLE:
        raise LocalProtocolError(f"{number:,} bytes are more than an MQTT packet holds")
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def sized(data: bytes) -> bytes:
    """Binary data (1.5.6). Raises LocalProtocolError."""
    if len(data) > MOST_TEXT_BYTES:
        raise LocalProtocolError(f"{len(data):,} bytes are more than an MQTT field holds")
    return len(data).to_bytes(2, "big") + data


def text(value: str) -> bytes:
    """A UTF-8 string (1.5.4). Raises LocalProtocolError for one with a NUL."""
    if "\0" in value:
        raise LocalProtocolError("MQTT has no NUL in texts")
    return sized(value.encode())


class Reader:
    """Reads the fields of one packet's body in turn. Every method raises RemoteProtocolError for a field that
    ends behind the packet or is malformed."""

    __slots__ = ("_at", "_body")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._body) - self._at

    def rest(self) -> bytes:
        return self._take(self.left)

    def number(self, size: int) -> int:
        return int.from_bytes(self._take(size), "big")

    def variable(self) -> int:
        value = 0
        for shift in (0, 7, 14, 21):
            byte = self.number(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if shift and not byte:
                    raise RemoteProtocolError("a number is written longer than it has to be")
                return value
        raise RemoteProtocolError("a variable number of more than four bytes")

    def sized(self) -> bytes:
        return self._take(self.number(2))

    def text(self) -> str:
        try:
            value = self.sized().decode()
        except UnicodeDecodeError:
            raise RemoteProtocolError("a text that is not UTF-8") from None
        if "\0" in value:
            raise RemoteProtocolError("a text with a NUL")
        return value

    def properties(self) -> dict[int, Any]:
        inner = Reader(self._take(self.variable()))
        found: dict[int, Any] = {}
        while inner.left:
            number = inner.variable()
            if number not in _PROPERTIES:
                raise RemoteProtocolError(f"unknown property 0x{number:02x}")
            value = _PROPERTIES[number][1](inner)
            if number in _REPEATED:
                found[number] = (*found.get(number, ()), value)
            elif number in found:
                raise RemoteProtocolError(f"property 0x{number:02x} comes twice")
            else:
                found[number] = value
        return found

    def end(self) -> None:
        if self.left:
            raise RemoteProtocolError(f"{self.left} bytes too many in a packet")

    def _take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._body):
            raise RemoteProtocolError("a packet ends within a field")
        taken, self._at = self._body[self._at : end], end
        return taken


def properties(values: Properties) -> bytes:
    """The properties with their length. Raises LocalProtocolError."""
    out = b""
    for number, value in values.items():
        write = _PROPERTIES[number][0]
        for one in value if number in _REPEATED else (value,):
            out += variable(number) + write(one)
    return variable(len(out)) + out


def _fixed(size: int) -> "tuple[Callable[[int], bytes], Callable[[Reader], int]]":
    return lambda value: value.to_bytes(size, "big"), lambda reader: reader.number(size)


def _pair(value: tuple[str, str]) -> bytes:
    return text(value[0]) + text(value[1])


_BYTE, _TWO, _FOUR = _fixed(1), _fixed(2), _fixed(4)
_VARIABLE = (variable, Reader.variable)
_TEXT, _BINARY = (text, Reader.text), (sized, Reader.sized)
_PAIR = (_pair, lambda reader: (reader.text(), reader.text()))
_REPEATED = (USER, SUBSCRIPTION)

# Section 2.2.2.2, table 2-4.
_PROPERTIES: dict[int, tuple[Callable[[Any], bytes], Callable[[Reader], Any]]] = {
    0x01: _BYTE, 0x02: _FOUR, 0x03: _TEXT, 0x08: _TEXT, 0x09: _BINARY, SUBSCRIPTION: _VARIABLE,
    EXPIRY: _FOUR, 0x12: _TEXT, SERVER_KEEP_ALIVE: _TWO, 0x15: _TEXT, 0x16: _BINARY, 0x17: _BYTE,
    0x18: _FOUR, 0x19: _BYTE, 0x1A: _TEXT, SERVER_REFERENCE: _TEXT, REASON: _TEXT, RECEIVE_MAXIMUM: _TWO,
    0x22: _TWO, 0x23: _TWO, MAXIMUM_QOS: _BYTE, 0x25: _BYTE, USER: _PAIR, MAXIMUM_PACKET: _FOUR,
    0x28: _BYTE, 0x29: _BYTE, 0x2A: _BYTE,
}  # fmt: skip

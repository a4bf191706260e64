"""WebSocket framing (RFC 6455), either side: for the chat protocol one frame of it a binary message, for
others whatever is handed over at once.

No socket, no clock, no handshake. Payload is passed on as it comes, so that a message in pieces is held by
nobody twice; what is checked is that messages and frames end together.
"""

import enum
import os
from base64 import b64encode
from hashlib import sha1
from typing import ClassVar

from protocol.errors import RemoteProtocolError
from protocol.frames import whole_frame_bytes
from protocol.limits import HEADER_BYTES, MAX_FRAME_BODY_BYTES

PATH = "/v1/ws"
MAX_HANDSHAKE_BYTES = 8 << 10
"""The request or answer that opens a WebSocket, header lines and all."""
MAX_MESSAGE_BYTES = HEADER_BYTES + MAX_FRAME_BODY_BYTES
MAX_CONTROL_BYTES = 125

_FIN, _RESERVED, _OPCODE, _MASKED, _LENGTH = 0x80, 0x70, 0x0F, 0x80, 0x7F
_TWO_BYTES, _EIGHT_BYTES = 126, 127
_MASK_BYTES = 4
_ACCEPT_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Opcode(enum.IntEnum):
    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


class CloseCode(enum.IntEnum):
    """Those of RFC 6455, section 7.4.1, that are said here."""

    NORMAL = 1000
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    INVALID_DATA = 1007
    TOO_BIG = 1009


class _Broken(Exception):
    def __init__(self, text: str, code: CloseCode = CloseCode.PROTOCOL_ERROR) -> None:
        super().__init__(text)
        self.code = code


def accept_key(key: str) -> str:
    """The Sec-WebSocket-Accept that answers a Sec-WebSocket-Key (section 4.2.2)."""
    return b64encode(sha1(key.encode("latin-1") + _ACCEPT_SUFFIX, usedforsecurity=False).digest()).decode()


def encode(opcode: Opcode, payload: bytes, *, masked: bool) -> bytes:
    """One unfragmented frame; `masked` under a new random key, as clients must."""
    size = len(payload)
    bit = _MASKED if masked else 0
    if size < _TWO_BYTES:
        head = bytes((_FIN | opcode, bit | size))
    elif size < 1 << 16:
        head = bytes((_FIN | opcode, bit | _TWO_BYTES)) + size.to_bytes(2, "big")
    else:
        head = bytes((_FIN | opcode, bit | _EIGHT_BYTES)) + size.to_bytes(8, "big")
    if not masked:
        return head + payload
    key = os.urandom(_MASK_BYTES)
    return head + key + apply_mask(payload, key)


def apply_mask(payload: bytes, key: bytes) -> bytes:
    """Masks or unmasks, which is the same (section 5.3): as one number, not byte by byte."""
    size = len(payload)
    pattern = (key * (size // _MASK_BYTES + 1))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(pattern, "little")).to_bytes(size, "little")


class Channel:
    """One side of an open WebSocket. `is_client`: masks what it sends, and takes only unmasked frames.

    | state   | left by                                         | may still send |
    |---------|-------------------------------------------------|----------------|
    | open    | CLOSE from either side, a broken frame          | everything     |
    | closing | CLOSE of the peer, a broken frame               | nothing        |
    | over    | –                                               | nothing        |

    `ended` says why the peer or its mistakes ended it, None before; `is_broken` tells the mistakes. `opcode`:
    of all messages, either way.
    """

    opcode: ClassVar[Opcode] = Opcode.BINARY

    __slots__ = (
        "_came", "_close_sent", "_held", "_in_message", "_is_client", "_key", "_left", "_message", "_out",
        "_pong", "ended", "is_broken",
    )  # fmt: skip

    def __init__(self, *, is_client: bool) -> None:
        self._is_client = is_client
        self._held = b""
        self._key = b""
        self._left = 0
        self._in_message = False
        self._came = 0
        self._message = b""
        self._out = b""
        self._pong: bytes | None = None
        self._close_sent = False
        self.ended: str | None = None
        self.is_broken = False

    # -- out

    def send(self, payload: bytes) -> None:
        """Each chat frame becomes a message; what is none, a message as it is."""
        if self._close_sent:
            return
        at = 0
        while at < len(payload):
            end = at + _frame_bytes(payload, at)
            self._out += encode(Opcode.BINARY, payload[at:end], masked=self._is_client)
            at = end

    def close(self, code: CloseCode = CloseCode.NORMAL, reason: str = "") -> None:
        """The closing handshake begins, or is answered. Twice is allowed."""
        if not self._close_sent:
            self._send_pong()
            payload = code.to_bytes(2, "big") + reason.encode()[: MAX_CONTROL_BYTES - 2]
            self._out += encode(Opcode.CLOSE, payload, masked=self._is_client)
            self._close_sent = True

    def take(self) -> bytes:
        """Bytes to send, handed over once. Of several pings since the last time the latest is answered."""
        self._send_pong()
        out, self._out = self._out, b""
        return out

    def _send_pong(self) -> None:
        if self._pong is not None and not self._close_sent:
            self._out += encode(Opcode.PONG, self._pong, masked=self._is_client)
        self._pong = None

    # -- in

    def receive(self, data: bytes) -> bytes:
        """The payload in it. After a mistake of the peer `ended` is set and CLOSE is to be taken."""
        if self.ended is not None:
            return b""
        if self._held:
            data, self._held = self._held + data, b""
        payload: list[bytes] = []
        try:
            self._read(data, payload)
        except _Broken as error:
            self.is_broken = True
            self.ended = str(error)
            self.close(error.code, str(error))
        return payload[0] if len(payload) == 1 else b"".join(payload)

    def _read(self, data: bytes, payload: list[bytes]) -> None:
        at = 0
        while self.ended is None:
            if self._left:
                piece = data[at : at + self._left]
                if not piece:
                    return
                at += len(piece)
                payload.append(self._passed_on(piece))
                continue
            end = self._head(data, at, payload)
            if end is None:
                self._held = data[at:]
                return
            at = end

    def _head(self, data: bytes, at: int, payload: list[bytes]) -> int | None:
        """Where what follows the frame's header begins, or the next frame after a control frame; None when
        more bytes are needed."""
        if len(data) - at < 2:
            return None
        first, second = data[at], data[at + 1]
        opcode = self._judged(first, second)
        size, at = second & _LENGTH, at + 2
        if size >= _TWO_BYTES:
            width = 2 if size == _TWO_BYTES else 8
            if len(data) - at < width:
                return None
            size, at = int.from_bytes(data[at : at + width], "big"), at + width
            if size < (_TWO_BYTES if width == 2 else 1 << 16):
                raise _Broken("a length is written longer than it has to be")
        if opcode < Opcode.CLOSE and self._came + size > MAX_MESSAGE_BYTES:
            raise _Broken(f"a message of more than {MAX_MESSAGE_BYTES} bytes", CloseCode.TOO_BIG)
        key = b""
        if second & _MASKED:
            if len(data) - at < _MASK_BYTES:
                return None
            key, at = data[at : at + _MASK_BYTES], at + _MASK_BYTES
        if opcode >= Opcode.CLOSE:
            if len(data) - at < size:
                return None
            content = data[at : at + size]
            self._control(opcode, apply_mask(content, key) if key else content)
            return at + size
        self._key, self._left = key, size
        self._in_message = not first & _FIN
        if not size:
            self._piece_ended()
        return at

    def _judged(self, first: int, second: int) -> int:
        opcode = first & _OPCODE
        if first & _RESERVED:
            raise _Broken("reserved bits are set, but no extension was agreed on")
        if bool(second & _MASKED) is self._is_client:
            raise _Broken("a server must not mask" if self._is_client else "a client must mask")
        if opcode >= Opcode.CLOSE:
            if opcode > Opcode.PONG:
                raise _Broken(f"unknown opcode 0x{opcode:x}")
            if not first & _FIN or second & _LENGTH > MAX_CONTROL_BYTES:
                raise _Broken("a control frame in pieces or of more than 125 bytes")
        elif opcode > Opcode.BINARY:
            raise _Broken(f"unknown opcode 0x{opcode:x}")
        elif opcode not in (Opcode.CONTINUATION, self.opcode):
            only = self.opcode.name.lower()
            raise _Broken(f"only {only} messages are understood", CloseCode.UNSUPPORTED_DATA)
        elif (opcode == Opcode.CONTINUATION) is not self._in_message:
            raise _Broken("a message begins within another" if self._in_message else "nothing to continue")
        return opcode

    def _passed_on(self, piece: bytes) -> bytes:
        if self._key:
            masked, key = piece, self._key
            piece = apply_mask(masked, key)
            turn = len(masked) % _MASK_BYTES
            self._key = key[turn:] + key[:turn]
        if len(self._message) < HEADER_BYTES:
            self._message += piece[: HEADER_BYTES - len(self._message)]
        self._came += len(piece)
        self._left -= len(piece)
        if not self._left:
            self._piece_ended()
        return piece

    def _piece_ended(self) -> None:
        if self._in_message:
            return
        came, head = self._came, self._message
        self._came, self._message = 0, b""
        try:
            is_whole = whole_frame_bytes(head, 0) == came
        except RemoteProtocolError:
            return  # whoever reads frames finds out what is wrong with it, and says so
        if not is_whole:
            raise _Broken("a binary message has to hold exactly one frame")

    def _control(self, opcode: int, content: bytes) -> None:
        if opcode == Opcode.PING:
            self._pong = content
        elif opcode == Opcode.CLOSE:
            code, reason = _why(content)
            self.ended = f"closed with {code} {reason}".rstrip() if code else "closed without a reason"
            self.close()


class BinaryChannel(Channel):
    """What is sent at once is one message, and what comes need not hold anything whole."""

    __slots__ = ()

    def send(self, payload: bytes) -> None:
        if not self._close_sent:
            self._out += encode(self.opcode, payload, masked=self._is_client)

    def _piece_ended(self) -> None:
        if not self._in_message:
            self._came = 0


class TextChannel(BinaryChannel):
    """The same in text messages; whether it is UTF-8 is for whoever reads the text to find out."""

    __slots__ = ()
    opcode = Opcode.TEXT


def _frame_bytes(data: bytes, at: int) -> int:
    rest = len(data) - at
    try:
        return min(whole_frame_bytes(data, at) or rest, rest)
    except RemoteProtocolError:
        return rest


def _why(content: bytes) -> tuple[int, str]:
    """Code (0 for none) and reason of a CLOSE."""
    if not content:
        return 0, ""
    code = int.from_bytes(content[:2], "big")
    is_known = 1000 <= code <= 1014 and code not in (1004, 1005, 1006)
    if len(content) < 2 or not (is_known or 3000 <= code <= 4999):
        raise _Broken("a close frame without a valid code")
    try:
        return code, content[2:].decode()
    except UnicodeDecodeError:
        raise _Broken("a close reason that is not UTF-8", CloseCode.INVALID_DATA) from None

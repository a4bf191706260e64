"""A WebSocket (RFC 6455) that shows each message as it is framed, and sends what no library would."""

import os
from base64 import b64encode
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import gevent
import gevent.socket

from conformance.web import trusting
from drivers.endpoints import Endpoint
from drivers.pumps.wire import Expected
from protocol.websocket import PATH

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
OPENING = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
)
_TIMEOUT_S = 10.0
_PIECE_S = 0.01
"""Between two pieces, so that they are read one by one."""


class Framed(NamedTuple):
    """One frame of the WebSocket. `is_whole`: it ends its message."""

    is_whole: bool
    opcode: int
    payload: bytes


class BareWebSocket:
    """Open once it is made; `ca`: PEM of the authority that a wss endpoint is trusted for. `fields`: of the
    request that opens it, instead of the plain ones of `OPENING`; `piece_bytes`: it is sent in such pieces.
    `head`: of the answer. Raises Expected when the server does not agree."""

    def __init__(
        self, endpoint: Endpoint, ca: Path | None = None, *, fields: str = OPENING, piece_bytes: int = 1 << 16
    ) -> None:
        self._socket = gevent.socket.create_connection(endpoint.address, timeout=_TIMEOUT_S)
        if endpoint.carrier.name == "wss":
            self._socket = trusting(ca).wrap_socket(self._socket, server_hostname=endpoint.host)
        key = b64encode(os.urandom(16)).decode()
        request = (
            f"GET {PATH} HTTP/1.1\r\nHost: {endpoint.host}:{endpoint.port}\r\n{fields.format(key=key)}\r\n"
        )
        for at in range(0, len(request), piece_bytes):
            if at:
                gevent.sleep(_PIECE_S)
            self._socket.sendall(request[at : at + piece_bytes].encode())
        self._data = b""
        while b"\r\n\r\n" not in self._data:
            self._more()
        head, _, self._data = self._data.partition(b"\r\n\r\n")
        if b" 101 " not in head.partition(b"\r\n")[0]:
            raise Expected(f"expected the WebSocket to be opened with 101, got {head[:80]!r}")
        self.head = head.decode("latin-1")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def send(self, opcode: int, payload: bytes, *, is_whole: bool = True) -> None:
        """One frame, masked as a client's have to be."""
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
        self._socket.sendall(bytes([0x80 * is_whole | opcode]) + length + mask + masked)

    def throw(self, data: bytes) -> None:
        """Bytes that the case has framed itself."""
        self._socket.sendall(data)

    def next(self) -> Framed | None:
        """The next frame of the server; None when it has closed the connection."""
        try:
            first, second = self._take(2)
            size = second & 0x7F
            if size > 125:
                size = int.from_bytes(self._take(2 if size == 126 else 8), "big")
            return Framed(bool(first & 0x80), first & 0x0F, self._take(size))
        except ConnectionError:
            return None
        except TimeoutError:
            raise Expected(f"expected a frame or the end within {_TIMEOUT_S} s") from None

    def next_message(self) -> Framed | None:
        """The next message of the server, put together if it comes in pieces. A PING before it or between its
        pieces is answered; None when the server has closed the connection."""
        opcode, pieces = -1, b""
        while (framed := self.next()) is not None:
            if framed.opcode == PING:
                self.send(PONG, framed.payload)
            elif framed.opcode == CLOSE:
                return framed
            elif framed.opcode != PONG:
                opcode = framed.opcode if opcode < 0 else opcode
                pieces += framed.payload
                if framed.is_whole:
                    return Framed(True, opcode, pieces)
        return None

    def _take(self, count: int) -> bytes:
        while len(self._data) < count:
            self._more()
        taken, self._data = self._data[:count], self._data[count:]
        return taken

    def _more(self) -> None:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("closed")
        self._data += data

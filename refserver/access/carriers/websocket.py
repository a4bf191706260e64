"""`ws://`: a frame a binary message at /v1/ws, after the handshake of RFC 6455, section 4.2."""

import binascii
import ssl
from base64 import b64decode
from http import HTTPStatus

from protocol.websocket import MAX_HANDSHAKE_BYTES, PATH, Channel, accept_key
from refserver.access.carriers.kinds import Carrying, Kind

_END = b"\r\n\r\n"
_NONCE_BYTES = 16
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_ONCE = ("host", "sec-websocket-key", "sec-websocket-version")


class _Refused(Exception):
    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status


class WebSocketCarrying:
    """The server's side: a request head, bounded, and then a channel."""

    __slots__ = ("_answer", "_channel", "_request")

    def __init__(self) -> None:
        self._request: bytes | None = b""
        self._channel: Channel | None = None
        self._answer = b""

    @property
    def is_over(self) -> bool:
        channel = self._channel
        return self._request is None if channel is None else channel.ended is not None

    def receive(self, data: bytes) -> bytes:
        if self._request is not None:
            data = self._open(self._request + data)
        return b"" if self._channel is None else self._channel.receive(data)

    def seal(self, frame: bytes) -> bytes:
        if self._channel is not None:
            self._channel.send(frame)
        return self.take()

    def take(self) -> bytes:
        answer, self._answer = self._answer, b""
        return answer if self._channel is None else answer + self._channel.take()

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()

    def _open(self, request: bytes) -> bytes:
        """What came after the request, once that is whole."""
        try:
            end = request.find(_END)
            if (len(request) if end < 0 else end) > MAX_HANDSHAKE_BYTES:
                raise _Refused(
                    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"more than {MAX_HANDSHAKE_BYTES} bytes"
                )
            if not request.startswith(b"GET "[: len(request)]):
                raise _Refused(HTTPStatus.METHOD_NOT_ALLOWED, "only GET opens a WebSocket")
            if end < 0:
                self._request = request
                return b""
            key = _checked(request[:end].decode("latin-1"))
        except _Refused as refused:
            self._request = None
            self._answer = _refusal(refused)
            return b""
        self._request = None
        self._channel = Channel(is_client=False)
        self._answer = (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept_key(key)}\r\n\r\n"
        ).encode()
        return request[end + len(_END) :]


def _checked(head: str) -> str:
    """The key of a request that opens a WebSocket here. Raises _Refused."""
    line, *lines = head.split("\r\n")
    words = line.split(" ")
    if len(words) != 3 or words[2] != "HTTP/1.1":
        raise _Refused(HTTPStatus.BAD_REQUEST, "not a request of HTTP/1.1")
    if words[1].partition("?")[0] != PATH:
        raise _Refused(HTTPStatus.NOT_FOUND, f"the WebSocket is at {PATH}")
    headers = _headers(lines)
    if not headers.get("host"):
        raise _Refused(HTTPStatus.BAD_REQUEST, "no Host")
    if "websocket" not in _tokens(headers.get("upgrade", "")):
        raise _Refused(HTTPStatus.UPGRADE_REQUIRED, "no Upgrade: websocket")
    if "upgrade" not in _tokens(headers.get("connection", "")):
        raise _Refused(HTTPStatus.BAD_REQUEST, "no Connection: Upgrade")
    if headers.get("sec-websocket-version") != "13":
        raise _Refused(HTTPStatus.UPGRADE_REQUIRED, "only version 13 is spoken")
    key = headers.get("sec-websocket-key", "")
    try:
        is_nonce = len(b64decode(key, validate=True)) == _NONCE_BYTES
    except (binascii.Error, ValueError):
        is_nonce = False
    if not is_nonce:
        raise _Refused(HTTPStatus.BAD_REQUEST, "no Sec-WebSocket-Key of 16 bytes")
    return key


def _headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or not _TOKEN.issuperset(name):
            raise _Refused(HTTPStatus.BAD_REQUEST, "malformed header")
        name, value = name.lower(), value.strip(" \t")
        if name in headers and name in _ONCE:
            raise _Refused(HTTPStatus.BAD_REQUEST, f"{name} comes twice")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _tokens(value: str) -> list[str]:
    return [token.strip(" \t") for token in value.lower().split(",")]


def _refusal(refused: _Refused) -> bytes:
    text = f"{refused}\n".encode()
    extra = {
        HTTPStatus.UPGRADE_REQUIRED: "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
        HTTPStatus.METHOD_NOT_ALLOWED: "Allow: GET\r\n",
    }.get(refused.status, "")
    head = (
        f"HTTP/1.1 {refused.status.value} {refused.status.phrase}\r\n{extra}Connection: close\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\nContent-Length: {len(text)}\r\n\r\n"
    )
    return head.encode() + text


def _carry(context: ssl.SSLContext | None) -> Carrying:
    return WebSocketCarrying()


KIND = Kind(scheme="ws", needs_certificate=False, carry=_carry)

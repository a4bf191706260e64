"""WebSocket (RFC 6455): as `Dialect.websocket` says, at its path unless the URL has one.

`Origin` and cookies are a browser's affair and not sent.
"""

import os
from base64 import b64encode
from collections.abc import Callable
from urllib.parse import SplitResult

from drivers.carriers.wrapped import UrlCarrier, Wrapped
from drivers.contract import Dialect, Ended, InWebSocket, Messages, Session
from drivers.events import CloseReason, Event
from protocol.websocket import MAX_HANDSHAKE_BYTES, BinaryChannel, Channel, TextChannel, accept_key


class WebSocketSession(Wrapped):
    """Opening (request sent) → open → over. Until it is open, what the session inside says waits there."""

    __slots__ = ("_answer", "_channel", "_is_leaving", "_key", "_request", "_use")

    def __init__(self, inner: Session, use: InWebSocket, authority: str, target: str) -> None:
        super().__init__(inner)
        self._use = use
        self._key = b64encode(os.urandom(16)).decode()
        self._request = _request(authority, target, self._key, use.subprotocol)
        self._answer: bytes | None = b""
        self._channel = _CHANNELS[use.messages](is_client=True)
        self._is_leaving = False

    def bye(self) -> None:
        super().bye()
        self._is_leaving = True

    def take(self) -> bytes:
        request, self._request = self._request, b""
        if self._answer is not None:
            return request
        channel = self._channel
        plain = self._inner.take()
        if plain:
            split = self._use.split
            for message in [plain] if split is None else split(plain):
                channel.send(message)
        if self._is_leaving:
            channel.close()
        return channel.take()

    def receive(self, data: bytes) -> list[Event]:
        if self._channel.ended is not None:
            return []
        if self._answer is not None:
            self._answer += data
            head, end, data = self._answer.partition(b"\r\n\r\n")
            if len(head) > MAX_HANDSHAKE_BYTES:
                return [self._refuse(f"the answer to the handshake is over {MAX_HANDSHAKE_BYTES} bytes")]
            if not end:
                return []
            mistake = _mistake(head, self._key, self._use.subprotocol)
            if mistake:
                return [self._refuse(mistake)]
            self._answer, self._key = None, ""
        payload = self._channel.receive(data)
        happened = self._inner.receive(payload) if payload else []
        if self._channel.ended is not None and not (happened and type(happened[-1]) is Ended):
            reason = CloseReason.PROTOCOL_ERROR if self._channel.is_broken else CloseReason.EOF
            happened.append(Ended(reason, f"WebSocket: {self._channel.ended}"))
        return happened

    def _refuse(self, why: str) -> Ended:
        self._channel.ended = why
        return Ended(CloseReason.PROTOCOL_ERROR, f"WebSocket handshake: {why}")


def _request(authority: str, target: str, key: str, subprotocol: str) -> bytes:
    wish = f"Sec-WebSocket-Protocol: {subprotocol}\r\n" if subprotocol else ""
    return (
        f"GET {target} HTTP/1.1\r\n"
        f"Host: {authority}\r\n"
        "Upgrade: websocket\r\n"
        "Connection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\n"
        "Sec-WebSocket-Version: 13\r\n"
        f"{wish}"
        "\r\n"
    ).encode()


def _mistake(head: bytes, key: str, subprotocol: str) -> str:
    """What is wrong with the head of an answer (section 4.1); "" for nothing."""
    status, *lines = head.decode("latin-1").split("\r\n")
    version, _, code_and_phrase = status.partition(" ")
    if version != "HTTP/1.1":
        return f"the server does not speak HTTP/1.1: {status[:80]!r}"
    if code_and_phrase.split(" ")[0] != "101":
        return f"the server answered {code_and_phrase[:80]}"
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    if headers.get("upgrade", "").lower() != "websocket":
        return "the answer has no Upgrade: websocket"
    if "upgrade" not in (token.strip() for token in headers.get("connection", "").lower().split(",")):
        return "the answer has no Connection: Upgrade"
    if headers.get("sec-websocket-accept") != accept_key(key):
        return "Sec-WebSocket-Accept does not fit the key"
    if (
        "sec-websocket-extensions" in headers
        or headers.get("sec-websocket-protocol", subprotocol) != subprotocol
    ):
        return "the server agreed to an extension or subprotocol that nobody offered"
    if subprotocol and "sec-websocket-protocol" not in headers:
        return f"the server did not agree to the subprotocol {subprotocol}"
    return ""


def wrap_for(url: SplitResult, dialect: Dialect) -> Callable[[Session], Session]:
    """A WebSocket to the path of `url`. Raises ValueError for a dialect that does not travel in one."""
    use = dialect.websocket
    if use is None:
        raise ValueError(f"{dialect.name} does not travel in a WebSocket")
    target = use.path if url.path in ("", "/") else url.path
    # Without user and password, which are for nobody to see in a log.
    authority = url.netloc.rpartition("@")[2]
    return lambda session: WebSocketSession(session, use, authority, target)


_CHANNELS = {Messages.FRAMES: Channel, Messages.BINARY: BinaryChannel, Messages.TEXT: TextChannel}

CARRIER = UrlCarrier(name="ws", wrap_for=wrap_for, is_websocket=True)

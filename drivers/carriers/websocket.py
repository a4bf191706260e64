"""WebSocket (RFC 6455): each frame of the session a binary message, at `/v1/ws` unless the URL has a path."""

import os
from base64 import b64encode
from collections.abc import Callable
from urllib.parse import SplitResult

from drivers.carriers.wrapped import UrlCarrier, Wrapped
from drivers.contract import Ended, Session
from drivers.events import CloseReason, Event
from protocol.websocket import MAX_HANDSHAKE_BYTES, PATH, Channel, accept_key


class WebSocketSession(Wrapped):
    """Opening (request sent) → open → over. Until it is open, what the session inside says waits there."""

    __slots__ = ("_answer", "_channel", "_is_leaving", "_key", "_request")

    def __init__(self, inner: Session, authority: str, target: str) -> None:
        super().__init__(inner)
        self._key = b64encode(os.urandom(16)).decode()
        self._request = _request(authority, target, self._key)
        self._answer: bytes | None = b""
        self._channel = Channel(is_client=True)
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
            channel.send(plain)
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
            mistake = _mistake(head, self._key)
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


def _request(authority: str, target: str, key: str) -> bytes:
    return (
        f"GET {target} HTTP/1.1\r\n"
        f"Host: {authority}\r\n"
        "Upgrade: websocket\r\n"
        "Connection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\n"
        "Sec-WebSocket-Version: 13\r\n"
        "\r\n"
    ).encode()


def _mistake(head: bytes, key: str) -> str:
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
    if "sec-websocket-extensions" in headers or "sec-websocket-protocol" in headers:
        return "the server agreed to an extension or subprotocol that nobody offered"
    return ""


def wrap_for(url: SplitResult) -> Callable[[Session], Session]:
    """A WebSocket to the path of `url`."""
    target = PATH if url.path in ("", "/") else url.path
    # Without user and password, which are for nobody to see in a log.
    authority = url.netloc.rpartition("@")[2]
    return lambda session: WebSocketSession(session, authority, target)


CARRIER = UrlCarrier(name="ws", wrap_for=wrap_for)

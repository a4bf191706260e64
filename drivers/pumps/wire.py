"""A bare connection that speaks frames of the chat protocol, for cases that say what no client would say."""

import time
from types import TracebackType
from typing import Self, TypeVar

import gevent.socket

from drivers.endpoints import Endpoint
from protocol import frames
from protocol.messages import Message

M = TypeVar("M", bound=Message)


class Expected(AssertionError):
    """Something that had to happen did not happen in time; the text says what came instead."""


class Wire:
    """A bare connection that speaks frames of the chat protocol, whatever they are."""

    def __init__(self, endpoint: Endpoint, *, compression: bool = False, timeout_s: float = 10.0) -> None:
        self._socket = gevent.socket.create_connection(endpoint.address, timeout=timeout_s)
        self._buffer = frames.FrameBuffer(compression=compression)
        self._timeout_s = timeout_s
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection without a word."""
        self._socket.close()

    def send(self, *to_send: Message) -> None:
        """Write messages in one piece."""
        self.send_bytes(b"".join(frames.encode(message) for message in to_send))

    def send_bytes(self, data: bytes) -> None:
        """Write bytes as they are, broken or not. Raises OSError when the peer takes none of them."""
        self._socket.settimeout(self._timeout_s)
        self._socket.sendall(data)

    def next(self, timeout_s: float = 10.0) -> Message | None:
        """The next message; None when the server closed. Raises Expected when nothing comes in time."""
        until = time.monotonic() + timeout_s
        while (message := self._buffer.next_message()) is None:
            if self._closed:
                return None
            self._socket.settimeout(max(0.001, until - time.monotonic()))
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                raise Expected(
                    f"expected a frame or the end of the connection within {timeout_s} s"
                ) from None
            except OSError:
                data = b""
            if data:
                self._buffer.feed(data)
            else:
                self._closed = True
        return message

    def expect(self, kind: type[M], timeout_s: float = 10.0) -> M:
        """The next message of a kind; others before it are passed over. Raises Expected."""
        until = time.monotonic() + timeout_s
        came: list[str] = []
        while True:
            try:
                message = self.next(max(0.001, until - time.monotonic()))
            except Expected:
                message = None
            if isinstance(message, kind):
                return message
            if message is None:
                end = "the connection was closed" if self._closed else f"nothing more within {timeout_s} s"
                raise Expected(f"expected {kind.__name__}; came: {', '.join(came) or 'nothing'}, then {end}")
            came.append(repr(message))

    def expect_closed(self, timeout_s: float = 10.0) -> list[Message]:
        """What came before the server closed. Raises Expected when it does not close in time."""
        until = time.monotonic() + timeout_s
        came: list[Message] = []
        while (message := self.next(max(0.001, until - time.monotonic()))) is not None:
            came.append(message)
        return came

    def collect(self, seconds: float) -> list[Message]:
        """Everything that comes within `seconds`; ends earlier when the server closes."""
        until = time.monotonic() + seconds
        came: list[Message] = []
        while (left := until - time.monotonic()) > 0:
            try:
                message = self.next(left)
            except Expected:
                break
            if message is None:
                break
            came.append(message)
        return came

    @property
    def is_closed(self) -> bool:
        """True once the server has closed and everything before was taken."""
        return self._closed and self._buffer.is_empty

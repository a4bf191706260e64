"""A bare connection that speaks frames of the chat protocol, for cases that say what no client would say."""

import time
from types import TracebackType
from typing import Self, TypeVar, cast

import gevent.socket

from drivers.contract import Ended, Session
from drivers.endpoints import Endpoint
from drivers.events import Event
from drivers.pumps.tunnels import start_connect
from protocol import frames
from protocol.messages import Message

M = TypeVar("M", bound=Message)


class Expected(AssertionError):
    """Something that had to happen did not happen in time; the text says what came instead."""


class _Spoken:
    """What a carrier carries for a wire: bytes of both directions, and no session that understands them."""

    def __init__(self, compression: bool) -> None:
        self.unsent = b""
        self.buffer = frames.FrameBuffer(compression=compression)

    def take(self) -> bytes:
        out, self.unsent = self.unsent, b""
        return out

    def receive(self, data: bytes) -> list[Event]:
        self.buffer.feed(data)
        return []


_LIMIT_S = 10.0


class Wire:
    """A bare connection that speaks frames of the chat protocol, whatever they are, over any carrier.

    `source`: an address of this machine to come from. `patience`: by what time limits are multiplied, where
    the network is broken on purpose. `error`: what the system said when the connection ended, None if the
    peer closed it.
    """

    patience = 1.0

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        compression: bool = False,
        timeout_s: float = _LIMIT_S,
        source: str | None = None,
    ) -> None:
        self.error: OSError | None = None
        if endpoint.carrier.new_tunnel is None:
            own = None if source is None else (source, 0)
            self._socket = gevent.socket.create_connection(endpoint.address, timeout_s, own)
        else:
            self._socket = gevent.socket.socket(fileno=start_connect(endpoint, source))
        self._spoken = _Spoken(compression)
        # Of a session carriers need no more than its bytes.
        session, wrap = cast(Session, self._spoken), endpoint.carrier.wrap
        self._session = session if wrap is None else wrap(session)
        self._timeout_s = timeout_s
        self._closed = False
        self._end = ""
        self._flush()

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
        self._spoken.unsent += data
        self._flush()
        while self._spoken.unsent:
            # They wait in the carrier for the peer's part of its handshake.
            self._hear(self._socket.recv(65536))
            if self._closed:
                raise ConnectionAbortedError(self._end or "closed before the carrier's handshake was through")

    def _flush(self) -> None:
        out = self._session.take()
        if out:
            self._socket.sendall(out)

    def _hear(self, data: bytes) -> None:
        ended = [event for event in self._session.receive(data) if isinstance(event, Ended)] if data else []
        if ended or not data:
            self._closed = True
            self._end = ended[0].detail if ended else ""
        else:
            self._flush()

    def next(self, timeout_s: float | None = None) -> Message | None:
        """The next message; None when the server closed. Raises Expected when nothing comes in time, which
        is not stretched if it is given."""
        timeout_s = _LIMIT_S * self.patience if timeout_s is None else timeout_s
        until = time.monotonic() + timeout_s
        while (message := self._spoken.buffer.next_message()) is None:
            if self._closed:
                return None
            self._socket.settimeout(max(0.001, until - time.monotonic()))
            try:
                self._hear(self._socket.recv(65536))
            except OSError as error:
                if isinstance(error, TimeoutError) and error.errno is None:
                    raise Expected(
                        f"expected a frame or the end of the connection within {timeout_s} s"
                    ) from None
                self._closed, self.error = True, error
        return message

    def expect(self, kind: type[M], timeout_s: float = _LIMIT_S) -> M:
        """The next message of a kind; others before it are passed over. Raises Expected."""
        timeout_s *= self.patience
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

    def expect_closed(self, timeout_s: float = _LIMIT_S) -> list[Message]:
        """What came before the server closed. Raises Expected when it does not close in time."""
        until = time.monotonic() + timeout_s * self.patience
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
        return self._closed and self._spoken.buffer.is_empty

"""A chat client as plain as can be: sends frames, waits for frames, one greenlet."""

from typing import TypeVar

import gevent
from gevent import socket

from protocol import frames
from protocol.frames import FrameBuffer
from protocol.messages import Error, LoggedIn, Login, Message

M = TypeVar("M", bound=Message)

PATIENCE_S = 60.0


class ChatClient:
    """Every wait ends after PATIENCE_S with a TimeoutError."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=PATIENCE_S)
        self._buffer = FrameBuffer(compression=True)
        self.ended = False

    def send(self, *messages: Message) -> None:
        self.send_bytes(b"".join(map(frames.encode, messages)))

    def send_bytes(self, data: bytes) -> None:
        self.socket.sendall(data)

    def next_frame(self) -> tuple[int, bytes] | None:
        """Type and body; None at the end of the stream."""
        while (frame := self._buffer.next_frame()) is None:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                self.ended = True
                return None
            self._buffer.feed(data)
        return frame

    def receive(self) -> Message | None:
        frame = self.next_frame()
        if frame is None:
            return None
        from protocol.messages import decode_body

        return decode_body(*frame)

    def expect(self, kind: type[M]) -> M:
        """The next message, which has to be of that kind."""
        message = self.receive()
        assert isinstance(message, kind), f"expected {kind.__name__}, got {message}"
        return message

    def expect_error(self, code: int) -> Error:
        """A fatal error with that code and then the end."""
        error = self.expect(Error)
        assert (error.code, error.fatal) == (code, True), error
        assert self.receive() is None, "the connection is closed after a fatal error"
        return error

    def login(self, token: str, **fields: object) -> LoggedIn:
        fields = {"device": "d1", **fields}
        self.send(Login(token=token, **fields))  # type: ignore[arg-type]
        return self.expect(LoggedIn)

    def hears_nothing(self, turns: int = 20) -> bool:
        """True when nothing comes although the server had its turns."""
        for _ in range(turns):
            gevent.sleep(0.001)
        self.socket.settimeout(0.05)
        try:
            return self.receive() is None and not self.ended
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(PATIENCE_S)

    def close(self) -> None:
        self.socket.close()

"""A path that loses whole frames, for cases that say which."""

from collections.abc import Callable
from dataclasses import replace

from drivers.carriers.wrapped import Wrapped
from drivers.contract import Session
from drivers.endpoints import Endpoint
from drivers.events import Event
from protocol import frames
from protocol.errors import RemoteProtocolError
from protocol.limits import MAGIC
from protocol.messages import Message

Lose = Callable[[str, Message], bool]
"""Asked for each frame with "up" or "down"; True loses it."""


class LossyPath:
    """One direction of a connection. Keeps to the frames' boundaries even while nothing is to be lost."""

    def __init__(self, direction: str) -> None:
        self._direction = direction
        self._held = b""
        self._is_foreign = False

    def passed(self, data: bytes, lose: Lose | None) -> bytes:
        """What gets through of the frames that `data` completes, byte for byte.

        What is not a frame of the chat protocol gets through as well: the client has to judge it.
        """
        if self._is_foreign:
            return data
        data = self._held + data
        if data and data[0] != MAGIC:
            # Of another protocol, whose bytes must not wait until they are as long as a header of ours.
            self._is_foreign, self._held = True, b""
            return data
        kept: list[bytes] = []
        at = 0
        try:
            while (size := frames.whole_frame_bytes(data, at)) is not None and at + size <= len(data):
                frame = data[at : at + size]
                at += size
                if lose is None or not self._is_lost(frame, lose):
                    kept.append(frame)
        except RemoteProtocolError:
            kept.append(data[at:])
            at = len(data)
        self._held = data[at:]
        return b"".join(kept)

    def _is_lost(self, frame: bytes, lose: Lose) -> bool:
        try:
            message = frames.FrameBuffer(frame, compression=True).next_message()
        except RemoteProtocolError:
            return False
        return message is not None and lose(self._direction, message)


class LossySession(Wrapped):
    """The same for a carrier that does not show frames on the path: they are lost within it."""

    __slots__ = ("_down", "_lose", "_up")

    def __init__(self, inner: Session, lose: Callable[[], Lose | None]) -> None:
        super().__init__(inner)
        self._lose = lose
        self._up = LossyPath("up")
        self._down = LossyPath("down")

    def take(self) -> bytes:
        return self._up.passed(self._inner.take(), self._lose())

    def receive(self, data: bytes) -> list[Event]:
        data = self._down.passed(data, self._lose())
        return self._inner.receive(data) if data else []


def with_loss(endpoint: Endpoint, lose: Callable[[], Lose | None]) -> Endpoint:
    """The endpoint with sessions that lose what `lose()` says at the time; a plain one as it is."""
    if endpoint.is_plain:
        return endpoint
    dialect = endpoint.dialect
    new_session = dialect.new_session
    return replace(endpoint, dialect=replace(dialect, new_session=lambda: LossySession(new_session(), lose)))

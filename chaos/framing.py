"""Where chat frames begin in a stream of which only passing bytes are seen."""

from protocol.errors import RemoteProtocolError
from protocol.frames import whole_frame_bytes
from protocol.limits import HEADER_BYTES, MAGIC


def frame_bytes(data: bytes | bytearray, at: int) -> int | None:
    """Like `whole_frame_bytes`, but one wrong byte is enough: no short line of text is held for a header."""
    length = whole_frame_bytes(data, at)
    if length is None and at < len(data) and data[at] != MAGIC:
        raise RemoteProtocolError("not a frame of the chat protocol")
    return length


class FrameFollower:
    """Follows a stream from its first byte without holding it: an integer and at most seven bytes.

    Each link carries one from its first chunk on, because a toxic that is added in mid-stream has to begin
    at a frame. Guessing a boundary from how a chunk looks would be wrong for a frame within a frame's body
    and would never come true on a stream that is read in full chunks; following costs half a microsecond a
    frame, and nothing at all for streams whose first bytes are no frame.
    """

    __slots__ = ("_head", "_skip")

    def __init__(self) -> None:
        self._skip = 0
        self._head = b""

    def copy(self) -> "FrameFollower":
        """At the same place, independent from here on."""
        twin = FrameFollower()
        twin._skip, twin._head = self._skip, self._head
        return twin

    @property
    def at_start(self) -> bool:
        """True when the next byte is the first of a frame."""
        return not self._skip and not self._head

    def follow(self, data: bytes) -> None:
        """`data` went by. Raises RemoteProtocolError where a frame should begin and does not."""
        at, size = self.rest(data), len(data)
        while at < size:
            length = frame_bytes(data, at)
            if length is None:
                self._head = data[at:]
                return
            at += length
        self._skip += at - size

    def rest(self, data: bytes) -> int:
        """How many leading bytes of `data` belong to the frame under way; they have gone by.

        Raises RemoteProtocolError like `follow`.
        """
        at, size = 0, len(data)
        if self._head:
            at = min(HEADER_BYTES - len(self._head), size)
            self._head += data[:at]
            length = whole_frame_bytes(self._head, 0)
            if length is None:
                return at
            self._skip, self._head = length - HEADER_BYTES, b""
        step = min(self._skip, size - at)
        self._skip -= step
        return at + step

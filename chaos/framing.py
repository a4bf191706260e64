"""Where chat frames begin in a stream of which only passing bytes are seen."""

from protocol.errors import RemoteProtocolError
from protocol.frames import whole_frame_bytes
from protocol.limits import HEADER_BYTES


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
        at, size = 0, len(data)
        while at < size:
            at += self._step(data, at)

    def rest(self, data: bytes) -> int:
        """How many leading bytes of `data` belong to the frame under way; they have gone by.

        Raises RemoteProtocolError like `follow`.
        """
        at, size = 0, len(data)
        while at < size and not self.at_start:
            at += self._step(data, at)
        return at

    def _step(self, data: bytes, at: int) -> int:
        """Go on by one header, one body, or what there is of them; how far that was."""
        left = len(data) - at
        if self._skip:
            step = min(self._skip, left)
            self._skip -= step
            return step
        if self._head or left < HEADER_BYTES:
            step = min(HEADER_BYTES - len(self._head), left)
            self._head += data[at : at + step]
            length = whole_frame_bytes(self._head, 0)
            if length is not None:
                self._skip, self._head = length - HEADER_BYTES, b""
            return step
        length = whole_frame_bytes(data, at)
        if length is None:
            raise RemoteProtocolError("a whole header that is not whole")
        step = min(length, left)
        self._skip = length - step
        return step

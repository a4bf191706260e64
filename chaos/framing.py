"""Where messages begin in a stream of which only passing bytes are seen."""

from chaos.framers import Framer, NotFramed, by_first_byte

_IN_PRELUDE = -1


class Follower:
    """Follows a stream from its first byte without holding it: an integer and the head of one frame.

    Each link carries one from its first chunk on, because a toxic that is added in mid-stream has to begin
    at a message. Guessing a boundary from how a chunk looks would be wrong for a frame within a frame's body
    and would never come true on a stream that is read in full chunks; following costs half a microsecond a
    frame, and nothing at all for streams that no framer knows.

    `framer` is None until the first byte has come.
    """

    __slots__ = ("_head", "_is_open", "_skip", "framer")

    def __init__(self) -> None:
        self.framer: Framer | None = None
        self._skip = 0
        self._head = b""
        self._is_open = False

    def copy(self) -> "Follower":
        """At the same place, independent from here on."""
        twin = Follower()
        twin.framer, twin._is_open = self.framer, self._is_open
        twin._skip, twin._head = self._skip, self._head
        return twin

    @property
    def at_start(self) -> bool:
        """True when the next byte is the first of a message, or of what comes before the first one."""
        return not self._skip and not self._head and not self._is_open

    def follow(self, data: bytes) -> None:
        """`data` went by. Raises NotFramed where a frame should begin and does not."""
        self._go(data, stops=False)

    def rest(self, data: bytes) -> int:
        """How many leading bytes of `data` begin no message; they have gone by. Raises NotFramed."""
        return self._go(data, stops=True)

    def _go(self, data: bytes, stops: bool) -> int:
        at, size = 0, len(data)
        framer = self.framer
        if framer is None:
            framer = self._known_by(data)
        if self._skip == _IN_PRELUDE:
            at = self._through_prelude(framer, data)
        while at < size:
            if self._skip > 0:
                step = min(self._skip, size - at)
                self._skip -= step
                at += step
                continue
            if stops and self.at_start:
                break
            known = len(self._head)
            head = self._head + data[at : at + framer.head_bytes] if known else data
            place = 0 if known else at
            length = framer.length(head, place)
            if length is None:
                self._head += data[at:]
                return size
            if framer.fragments:
                self._is_open = framer.opens(head, place, self._is_open)
            self._skip, self._head = length - known, b""
        return at

    def _known_by(self, data: bytes) -> Framer:
        framer = by_first_byte().get(data[0])
        if framer is None:
            raise NotFramed(f"no framer knows a stream that begins with 0x{data[0]:02x}")
        self.framer = framer
        if framer.has_prelude:
            self._skip = _IN_PRELUDE
        return framer

    def _through_prelude(self, framer: Framer, data: bytes) -> int:
        before = len(self._head)
        self._head += data
        end = framer.prelude(self._head)
        if end is None:
            return len(data)
        self._skip, self._head = 0, b""
        return end - before

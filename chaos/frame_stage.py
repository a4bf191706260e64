"""What toxics that know messages have in common: a stream cut into whole messages, whatever the chunks."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import TypeVar

from chaos.framers import Framer, NotFramed, framers
from chaos.stage import End, Item, Place, Stage

ANY = "auto"
MAX_MESSAGE_BYTES = 16 * 2**20
"""A larger message cannot be held until it is whole; its connection passes untouched."""

A = TypeVar("A", bound="FrameAttributes")


@dataclass(frozen=True, slots=True)
class FrameAttributes:
    """`seed` 0 means the server's. `protocol`: one of the framers', or "auto" for whatever it turns out to
    be. `types`: kinds of messages, separated by commas, that are acted on; all if empty."""

    seed: int = 0
    protocol: str = ANY
    types: str = ""

    def check(self) -> None:
        """Raises ValueError."""
        known = (ANY, *framers())
        if self.protocol not in known:
            raise ValueError(f"protocol {self.protocol!r} is unknown, there are {', '.join(known)}")
        # A WebSocket carries messages of the others, so their kinds are among its own.
        kinds = set[str]().union(*(framer.kinds for framer in framers().values()))
        if unknown := sorted(each for each in _types(self) - kinds if not each.startswith("0x")):
            raise ValueError(f"types: no message is a {unknown[0]!r}, there are {', '.join(sorted(kinds))}")


def check_probability(value: float) -> None:
    """Raises ValueError."""
    if not 0 <= value <= 1:
        raise ValueError(f"probability must be between 0 and 1, is {value}")


class FrameStage(Stage[A]):
    """Added in mid-stream, it lets the message under way pass and begins with the next one.

    An incomplete message is held until it is whole; the end of the stream and removal let it go. From where
    framing fails everything passes. Counts "frames" (those acted on) and "unframed" (connections).
    """

    __slots__ = ("_chance", "_counts", "_follower", "_held", "_types")

    def __init__(self, attributes: A, place: Place, now: float) -> None:
        super().__init__(attributes, place, now)
        self._counts = place.counts
        self._held = bytearray()
        self._chance = place.chance(attributes.seed)
        self._follower = place.follower
        self._types = _types(attributes)
        if place.follower is None:
            self._counts["unframed"] += 1

    @abstractmethod
    def act(self, message: bytes, now: float, out: list[bytes]) -> None:
        """What becomes of `message`; what is to leave now is appended to `out`."""

    def spare(self, message: bytes, now: float, out: list[bytes]) -> None:
        """`message` is of a type that is not meant."""
        out.append(message)

    def let_go(self, out: list[bytes]) -> None:
        """Whole messages that are held back have to go out."""

    def feed(self, data: bytes, now: float, out: list[Item]) -> None:
        if self._follower is None:
            out.append(data)
            return
        if not self._held:
            try:
                rest = self._follower.rest(data)
            except NotFramed:
                self._pass_all(data, out)
                return
            if rest:
                out.append(data[:rest])
                data = data[rest:]
                if not data:
                    return
        framer = self._follower.framer
        assert framer is not None, "known by the first byte"
        if self.attributes.protocol not in (ANY, framer.name):
            self._pass_all(data, out)
            return
        self._held += data
        self._sift(framer, now, out)

    def _sift(self, framer: Framer, now: float, out: list[Item]) -> None:
        """Neighbours that leave now leave together; what is left over of the last message is held."""
        data, at, leaving = self._held, 0, list[bytes]()
        try:
            while (end := _message_end(framer, data, at)) is not None:
                message = bytes(data[at:end])
                at = end
                if self._types and framer.kind(message) not in self._types:
                    self.spare(message, now, leaving)
                else:
                    self._counts["frames"] += 1
                    self.act(message, now, leaving)
            if len(data) - at > MAX_MESSAGE_BYTES:
                raise NotFramed("a message too large to be held")
            del data[:at]
        except NotFramed:
            self.let_go(leaving)
            join(leaving, out)
            self._pass_all(bytes(data[at:]), out)
            return
        join(leaving, out)

    def _pass_all(self, data: bytes, out: list[Item]) -> None:
        leaving = list[bytes]()
        self.let_go(leaving)
        leaving.append(data)
        join(leaving, out)
        self._counts["unframed"] += 1
        self._follower = None
        self._held.clear()

    def end(self, end: End, now: float, out: list[Item]) -> None:
        self.release(now, out)
        out.append(end)

    def release(self, now: float, out: list[Item]) -> None:
        leaving = list[bytes]()
        self.let_go(leaving)
        if self._held:
            leaving.append(bytes(self._held))
            if self._follower is not None:
                self._follower.follow(bytes(self._held))
            self._held.clear()
        join(leaving, out)

    def update(self, attributes: A, now: float, out: list[Item]) -> None:
        self.attributes, self._types = attributes, _types(attributes)

    def skip(self, items: list[Item]) -> None:
        try:
            for item in items:
                if self._follower is not None and not isinstance(item, End):
                    self._follower.follow(item)
        except NotFramed:
            self._follower = None


def _types(attributes: FrameAttributes) -> frozenset[str]:
    return frozenset(each.strip().lower() for each in attributes.types.split(",") if each.strip())


def join(messages: list[bytes], out: list[Item]) -> None:
    """`messages` leave together."""
    if messages:
        out.append(messages[0] if len(messages) == 1 else b"".join(messages))


def _message_end(framer: Framer, data: bytearray, at: int) -> int | None:
    """Where the message at `at` ends, None while it is not whole. Raises NotFramed."""
    is_open, size = False, len(data)
    while (length := framer.length(data, at)) is not None and at + length <= size:
        is_open = framer.fragments and framer.opens(data, at, is_open)
        at += length
        if not is_open:
            return at
    return None

"""frame_loss: whole frames of the chat protocol get lost, each with the same probability."""

from dataclasses import dataclass

from chaos.framing import frame_bytes
from chaos.stage import End, Item, Place, Stage
from chaos.toxics import toxic
from protocol.errors import RemoteProtocolError

PROTOCOLS = ("chat",)


@dataclass(frozen=True, slots=True)
class FrameLoss:
    """Probability from 0 to 1 for each frame; a seed of 0 means the server's."""

    probability: float = 0.0
    seed: int = 0
    protocol: str = "chat"

    def check(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability must be between 0 and 1, is {self.probability}")
        if self.protocol not in PROTOCOLS:
            raise ValueError(f"protocol {self.protocol!r} is unknown, there is {', '.join(PROTOCOLS)}")


@toxic("frame_loss", FrameLoss, go_struct="FrameLossToxic")
class FrameLossStage(Stage[FrameLoss]):
    """Added in mid-stream, it lets the frame under way pass and begins with the next one.

    An incomplete frame is held until it is whole; the end of the stream and removal let it go. From where
    framing fails everything passes. Counts "frames", "dropped" and "unframed" (connections).
    """

    __slots__ = ("_chance", "_counts", "_follower", "_held")

    def __init__(self, attributes: FrameLoss, place: Place, now: float) -> None:
        super().__init__(attributes, place, now)
        self._counts = place.counts
        self._held = bytearray()
        self._chance = place.chance(attributes.seed)
        self._follower = place.follower
        if place.follower is None:
            self._counts["unframed"] += 1

    def feed(self, data: bytes, now: float, out: list[Item]) -> None:
        if self._follower is None:
            out.append(data)
            return
        if not self._follower.at_start:
            try:
                rest = self._follower.rest(data)
            except RemoteProtocolError:
                self._pass_all(data, out)
                return
            out.append(data[:rest])
            data = data[rest:]
        if self._held:
            self._held += data
            self._sift(self._held, out)
        elif data:
            self._sift(data, out)

    def _sift(self, data: bytes | bytearray, out: list[Item]) -> None:
        """Neighbours that are kept leave together; what is left over of the last frame is held."""
        at = kept = 0
        size, probability, draw = len(data), self.attributes.probability, self._chance.random
        try:
            while (length := frame_bytes(data, at)) is not None and at + length <= size:
                self._counts["frames"] += 1
                if draw() < probability:
                    self._counts["dropped"] += 1
                    if kept < at:
                        out.append(bytes(data[kept:at]))
                    kept = at + length
                at += length
        except RemoteProtocolError:
            self._pass_all(data[kept:], out)
            return
        if kept < at:
            out.append(bytes(data[kept:at]))
        if data is self._held:
            del self._held[:at]
        else:
            self._held += data[at:]

    def _pass_all(self, data: bytes | bytearray, out: list[Item]) -> None:
        self._counts["unframed"] += 1
        self._follower = None
        self._held.clear()
        out.append(bytes(data))

    def end(self, end: End, now: float, out: list[Item]) -> None:
        self.release(now, out)
        out.append(end)

    def release(self, now: float, out: list[Item]) -> None:
        if self._held:
            out.append(bytes(self._held))
            if self._follower is not None:
                self._follower.follow(bytes(self._held))
            self._held.clear()

    def skip(self, items: list[Item]) -> None:
        try:
            for item in items:
                if self._follower is not None and not isinstance(item, End):
                    self._follower.follow(item)
        except RemoteProtocolError:
            self._follower = None

"""slicer: chunks come in small pieces, each written by itself, with a pause after each."""

from collections import deque
from dataclasses import dataclass

from chaos.stage import HELD_BYTES, End, Item, Place, Stage
from chaos.toxics import toxic


@dataclass(frozen=True, slots=True)
class Slicer:
    """Sizes in bytes, delay in MICROseconds. The original dies of sizes that are refused here."""

    average_size: int = 0
    size_variation: int = 0
    delay: int = 0

    def check(self) -> None:
        if self.average_size <= 0:
            raise ValueError(f"average_size must be positive, is {self.average_size}")
        if not 0 <= self.size_variation < self.average_size:
            raise ValueError(
                f"size_variation must be at least 0 and less than average_size, is {self.size_variation}"
            )


@toxic("slicer", Slicer, go_struct="SlicerToxic", go_int="int")
class SlicerStage(Stage[Slicer]):
    """Pieces have average_size ± size_variation bytes; removal lets the rest go in one piece."""

    __slots__ = ("_chance", "_end", "_free_at", "_held", "_held_bytes")

    def __init__(self, attributes: Slicer, place: Place, now: float) -> None:
        super().__init__(attributes, place, now)
        self._held: deque[bytes] = deque()
        self._held_bytes = 0
        self._free_at = now
        self._end: End | None = None
        self._chance = place.chance()

    def feed(self, data: bytes, now: float, out: list[Item]) -> None:
        if not self._held:
            self._free_at = max(self._free_at, now)
        self._held.append(data)
        self._held_bytes += len(data)
        self.tick(now, out)

    def end(self, end: End, now: float, out: list[Item]) -> None:
        self._end = end
        self.tick(now, out)

    def tick(self, now: float, out: list[Item]) -> None:
        self.wake_at = None
        while self._held or self._end:
            if self._free_at > now:
                self.wake_at = self._free_at
                return
            if not self._held:
                self.release(now, out)
                return
            data = self._held.popleft()
            size = self._size()
            if len(data) > size:
                self._held.appendleft(data[size:])
            out.append(data[:size])
            self._held_bytes -= min(size, len(data))
            # Counted on from when it was due: timers are coarser than these delays.
            self._free_at += self.attributes.delay / 1_000_000

    def release(self, now: float, out: list[Item]) -> None:
        if self._held:
            out.append(b"".join(self._held))
        if self._end:
            out.append(self._end)
        self._held.clear()
        self._held_bytes, self._end, self.wake_at = 0, None, None

    @property
    def full(self) -> bool:
        return self._held_bytes >= HELD_BYTES

    def _size(self) -> int:
        return round(self._chance.around(self.attributes.average_size, self.attributes.size_variation))

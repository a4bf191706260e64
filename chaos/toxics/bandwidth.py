"""bandwidth: so many kilobytes a second for each connection and direction."""

from collections import deque
from dataclasses import dataclass

from chaos.stage import HELD_BYTES, End, Item, Place, Stage
from chaos.toxics import toxic

PIECE_MS = 100


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """Rate in KB/s (1 KB = 1000 B, so the same number is bytes a millisecond). 0 stalls without closing."""

    rate: int = 0

    def check(self) -> None:
        if self.rate < 0:
            raise ValueError(f"rate must not be negative, is {self.rate}")


@toxic("bandwidth", Bandwidth, go_struct="BandwidthToxic")
class BandwidthStage(Stage[Bandwidth]):
    """A chunk leaves when its last byte is through; one of more than 100 ms goes in pieces of 100 ms."""

    __slots__ = ("_end", "_held", "_held_bytes", "_started")

    def __init__(self, attributes: Bandwidth, place: Place, now: float) -> None:
        super().__init__(attributes, place, now)
        self._held: deque[bytes] = deque()
        self._held_bytes = 0
        self._started = now
        self._end: End | None = None

    def feed(self, data: bytes, now: float, out: list[Item]) -> None:
        if not self._held:
            # The time owed by the last piece counts on: many small chunks add up to the exact rate.
            self._started = max(self._started, now)
        self._held.append(data)
        self._held_bytes += len(data)
        self.tick(now, out)

    def end(self, end: End, now: float, out: list[Item]) -> None:
        self._end = end
        self.tick(now, out)

    def tick(self, now: float, out: list[Item]) -> None:
        rate, self.wake_at = self.attributes.rate, None
        while self._held and rate:
            piece = self._held[0][: rate * PIECE_MS]
            due = self._started + len(piece) / (rate * 1000)
            if due > now:
                self.wake_at = due
                return
            self._started = due
            self._held_bytes -= len(piece)
            rest = self._held.popleft()[len(piece) :]
            if rest:
                self._held.appendleft(rest)
            out.append(piece)
        if self._end and not self._held:
            out.append(self._end)

    def release(self, now: float, out: list[Item]) -> None:
        out += self._held
        if self._end:
            out.append(self._end)
        self._held.clear()
        self._held_bytes, self.wake_at = 0, None

    def update(self, attributes: Bandwidth, now: float, out: list[Item]) -> None:
        self.attributes, self._started = attributes, now
        self.tick(now, out)

    @property
    def full(self) -> bool:
        return self._held_bytes >= HELD_BYTES

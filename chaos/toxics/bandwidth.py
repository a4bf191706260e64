"""bandwidth: so many kilobytes a second for each connection and direction."""

from dataclasses import dataclass

from chaos.paced import PacedStage
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
class BandwidthStage(PacedStage[Bandwidth]):
    """A chunk leaves when its last byte is through; one of more than 100 ms goes in pieces of 100 ms."""

    __slots__ = ()

    def plan(self, ready: int, now: float) -> tuple[int, float] | None:
        rate = self.attributes.rate
        if not rate:
            return None
        size = min(ready, rate * PIECE_MS)
        self._free_at += size / (rate * 1000)
        return size, self._free_at

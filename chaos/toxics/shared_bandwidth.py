"""shared_bandwidth: so many kilobytes a second for all connections of the proxy together."""

from dataclasses import dataclass

from chaos.paced import PacedStage
from chaos.stage import Place
from chaos.toxics import toxic

PIECE_MS = 10


@dataclass(frozen=True, slots=True)
class SharedBandwidth:
    """Rate in KB/s (1 KB = 1000 B). 0 stalls without closing."""

    rate: int = 0

    def check(self) -> None:
        if self.rate < 0:
            raise ValueError(f"rate must not be negative, is {self.rate}")


class Wire:
    """What all connections send over, one piece at a time. `rate`: that of the last piece."""

    __slots__ = ("free_at", "rate")

    def __init__(self) -> None:
        self.free_at = 0.0
        self.rate = 0

    def taken(self, size: int, rate: int, since: float) -> float:
        """When `size` bytes more are through that have been waiting `since` then."""
        if rate != self.rate:
            # Who waited by the old rate waits anew by the new one.
            self.rate, self.free_at = rate, since
        self.free_at = max(self.free_at, since) + size / (rate * 1000)
        return self.free_at


@toxic("shared_bandwidth", SharedBandwidth, go_struct="SharedBandwidthToxic")
class SharedBandwidthStage(PacedStage[SharedBandwidth]):
    """Connections that have something to send take turns of 10 ms. What a connection that ends had reserved
    is lost to the others."""

    __slots__ = ("_wire",)

    def __init__(self, attributes: SharedBandwidth, place: Place, now: float) -> None:
        super().__init__(attributes, place, now)
        self._wire = place.shared(Wire)

    def plan(self, ready: int, now: float) -> tuple[int, float] | None:
        rate = self.attributes.rate
        if not rate:
            return None
        size = min(ready, rate * PIECE_MS)
        self._free_at = self._wire.taken(size, rate, self._free_at)
        return size, self._free_at

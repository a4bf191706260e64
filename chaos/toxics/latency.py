"""latency: each chunk leaves a while after it came; chunks overlap, their order stays."""

from collections import deque
from dataclasses import dataclass

from chaos.stage import End, Item, Place, Stage
from chaos.toxics import toxic

HELD_CHUNKS = 1024


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds; jitter is spread evenly over ±jitter."""

    latency: int = 0
    jitter: int = 0


@toxic("latency", Latency, go_struct="LatencyToxic")
class LatencyStage(Stage[Latency]):
    """The end of the stream is not delayed, it only stays behind the data.

    Removal lets everything go at once; an update lets the chunk go that waits at the head, and the rest wait
    by the new values, still counted from when they came.
    """

    __slots__ = ("_chance", "_held")

    def __init__(self, attributes: Latency, place: Place, now: float) -> None:
        super().__init__(attributes, place, now)
        self._held: deque[tuple[float, float, Item]] | None = None
        self._chance = place.chance()

    def feed(self, data: bytes, now: float, out: list[Item]) -> None:
        self._hold(now, now + self._delay(), data)
        self.tick(now, out)

    def end(self, end: End, now: float, out: list[Item]) -> None:
        self._hold(now, now, end)
        self.tick(now, out)

    def tick(self, now: float, out: list[Item]) -> None:
        held = self._held
        while held and held[0][0] <= now:
            out.append(held.popleft()[2])
        self.wake_at = held[0][0] if held else None
        if not held:
            self._held = None

    def release(self, now: float, out: list[Item]) -> None:
        out += [item for _, _, item in self._held or ()]
        self._held = self.wake_at = None

    def update(self, attributes: Latency, now: float, out: list[Item]) -> None:
        self.attributes = attributes
        waiting, self._held = self._held, None
        if waiting:
            out.append(waiting.popleft()[2])
            for _, came, item in waiting:
                self._hold(came, came if isinstance(item, End) else came + self._delay(), item)
        self.tick(now, out)

    @property
    def full(self) -> bool:
        return self._held is not None and len(self._held) >= HELD_CHUNKS

    def _hold(self, came: float, due: float, item: Item) -> None:
        if self._held is None:
            self._held = deque()
        self._held.append((due, came, item))

    def _delay(self) -> float:
        return self._chance.around(self.attributes.latency, self.attributes.jitter) / 1000

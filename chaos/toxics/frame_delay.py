"""frame_delay: messages come late, each by itself, and others overtake them."""

import heapq
from dataclasses import dataclass

from chaos.frame_stage import FrameAttributes, FrameStage, join
from chaos.stage import End, Item, Place
from chaos.toxics import toxic

HELD_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class FrameDelay(FrameAttributes):
    """Milliseconds; jitter is spread evenly over ±jitter. With `types`, only those are late."""

    delay: int = 0
    jitter: int = 0

    def check(self) -> None:
        FrameAttributes.check(self)
        if self.delay < 0 or self.jitter < 0:
            raise ValueError("delay and jitter must not be negative")


@toxic("frame_delay", FrameDelay, go_struct="FrameDelayToxic")
class FrameDelayStage(FrameStage[FrameDelay]):
    """The end of the stream waits for what is late, and is not delayed itself. An update holds for what comes
    after it. Counts "delayed" besides."""

    __slots__ = ("_end", "_late", "_late_bytes", "_number")

    def __init__(self, attributes: FrameDelay, place: Place, now: float) -> None:
        super().__init__(attributes, place, now)
        self._late: list[tuple[float, int, bytes]] = []
        self._late_bytes = 0
        self._number = 0
        self._end: End | None = None

    def act(self, message: bytes, now: float, out: list[bytes]) -> None:
        wait_ms = self._chance.around(self.attributes.delay, self.attributes.jitter)
        if wait_ms <= 0:
            out.append(message)
            return
        self._counts["delayed"] += 1
        self._number += 1
        self._late_bytes += len(message)
        heapq.heappush(self._late, (now + wait_ms / 1000, self._number, message))
        self.wake_at = self._late[0][0]

    def tick(self, now: float, out: list[Item]) -> None:
        leaving = list[bytes]()
        while self._late and self._late[0][0] <= now:
            leaving.append(heapq.heappop(self._late)[2])
            self._late_bytes -= len(leaving[-1])
        join(leaving, out)
        self.wake_at = self._late[0][0] if self._late else None
        if self._end is not None and not self._late:
            self.release(now, out)

    def end(self, end: End, now: float, out: list[Item]) -> None:
        self._end = end
        if not self._late:
            self.release(now, out)

    def release(self, now: float, out: list[Item]) -> None:
        super().release(now, out)
        if self._end is not None:
            out.append(self._end)
            self._end = None

    def let_go(self, out: list[bytes]) -> None:
        out += [message for _, _, message in sorted(self._late)]
        self._late, self._late_bytes, self.wake_at = [], 0, None

    @property
    def full(self) -> bool:
        return self._late_bytes >= HELD_BYTES

"""What toxics that let bytes out piece by piece have in common: a queue and its clock."""

from abc import abstractmethod
from collections import deque
from typing import TypeVar

from chaos.stage import HELD_BYTES, End, Item, Place, Stage

A = TypeVar("A")


class PacedStage(Stage[A]):
    """Pieces leave one after the other, each at its time, in order; the end when `_free_at` has come.

    `_free_at` is when the way is free again after what has left. Time owed by late timers is made up for.
    """

    __slots__ = ("_due", "_end", "_free_at", "_held", "_held_bytes", "_size")

    def __init__(self, attributes: A, place: Place, now: float) -> None:
        super().__init__(attributes, place, now)
        self._held: deque[bytes] = deque()
        self._held_bytes = 0
        self._end: End | None = None
        self._free_at = now
        self._size = 0
        self._due = now

    @abstractmethod
    def plan(self, ready: int, now: float) -> tuple[int, float] | None:
        """Size (of at most `ready` bytes, which are the next chunk) and time of the next piece.

        None: nothing leaves until the next update. Sets `_free_at` to when the way is free behind it.
        """

    def feed(self, data: bytes, now: float, out: list[Item]) -> None:
        if not self._held:
            # What the last piece cost counts on: many small chunks add up to the exact rate.
            self._free_at = max(self._free_at, now)
        self._held.append(data)
        self._held_bytes += len(data)
        self.tick(now, out)

    def end(self, end: End, now: float, out: list[Item]) -> None:
        self._end = end
        self.tick(now, out)

    def tick(self, now: float, out: list[Item]) -> None:
        self.wake_at = None
        while self._held:
            if not self._size:
                planned = self.plan(len(self._held[0]), now)
                if planned is None:
                    return
                self._size, self._due = planned
            if self._due > now:
                self.wake_at = self._due
                return
            self._leave(out)
        if self._end is None:
            return
        if self._free_at > now:
            self.wake_at = self._free_at
        else:
            out.append(self._end)
            self._end = None

    def release(self, now: float, out: list[Item]) -> None:
        if self._held:
            out.append(b"".join(self._held))
        if self._end is not None:
            out.append(self._end)
        self._held.clear()
        self._held_bytes, self._size, self._end, self.wake_at = 0, 0, None, None

    def update(self, attributes: A, now: float, out: list[Item]) -> None:
        self.attributes, self._free_at, self._size = attributes, now, 0
        self.tick(now, out)

    @property
    def full(self) -> bool:
        return self._held_bytes >= HELD_BYTES

    def _leave(self, out: list[Item]) -> None:
        chunk = self._held.popleft()
        piece, rest = chunk[: self._size], chunk[self._size :]
        if rest:
            self._held.appendleft(rest)
        self._held_bytes -= len(piece)
        self._size = 0
        out.append(piece)

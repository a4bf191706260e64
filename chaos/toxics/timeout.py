"""timeout: nothing passes, and after a while without anything to drop the connection is closed."""

from dataclasses import dataclass
from typing import ClassVar

from chaos.stage import End, Item, Place, Stage
from chaos.toxics import toxic


@dataclass(frozen=True, slots=True)
class Timeout:
    """Milliseconds; 0 drops for ever and never closes."""

    timeout: int = 0


@toxic("timeout", Timeout, go_struct="TimeoutToxic")
class TimeoutStage(Stage[Timeout]):
    """Every dropped chunk starts the time again, as in the original; so does an update.

    A stream of which something was dropped cannot go on, so the removal of this toxic closes connections.
    """

    __slots__ = ()

    closes_on_removal: ClassVar[bool] = True

    def __init__(self, attributes: Timeout, place: Place, now: float) -> None:
        super().__init__(attributes, place, now)
        self._wait(now)

    def feed(self, data: bytes, now: float, out: list[Item]) -> None:
        self._wait(now)

    def tick(self, now: float, out: list[Item]) -> None:
        out.append(End.EOF)

    def update(self, attributes: Timeout, now: float, out: list[Item]) -> None:
        self.attributes = attributes
        self._wait(now)

    def _wait(self, now: float) -> None:
        timeout = self.attributes.timeout
        self.wake_at = now + timeout / 1000 if timeout > 0 else None

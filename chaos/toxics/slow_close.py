"""slow_close: data untouched, the end comes late."""

from dataclasses import dataclass

from chaos.stage import End, Item, Place, Stage
from chaos.toxics import toxic


@dataclass(frozen=True, slots=True)
class SlowClose:
    """Delay in milliseconds."""

    delay: int = 0


@toxic("slow_close", SlowClose, go_struct="SlowCloseToxic")
class SlowCloseStage(Stage[SlowClose]):
    """Removed while it holds the end: closes at once. Updated: waits the full new delay again."""

    __slots__ = ("_held",)

    def __init__(self, attributes: SlowClose, place: Place, now: float) -> None:
        super().__init__(attributes, place, now)
        self._held: End | None = None

    def end(self, end: End, now: float, out: list[Item]) -> None:
        self._held = end
        self._wait(now, out)

    def tick(self, now: float, out: list[Item]) -> None:
        self.release(now, out)

    def release(self, now: float, out: list[Item]) -> None:
        if self._held:
            out.append(self._held)
        self._held = self.wake_at = None

    def update(self, attributes: SlowClose, now: float, out: list[Item]) -> None:
        self.attributes = attributes
        if self._held:
            self._wait(now, out)

    def _wait(self, now: float, out: list[Item]) -> None:
        if self.attributes.delay > 0:
            self.wake_at = now + self.attributes.delay / 1000
        else:
            self.release(now, out)

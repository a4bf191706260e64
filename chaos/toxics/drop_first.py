"""drop_first: the first messages of each connection never arrive."""

from dataclasses import dataclass

from chaos.frame_stage import FrameAttributes, FrameStage
from chaos.stage import Place
from chaos.toxics import toxic


@dataclass(frozen=True, slots=True)
class DropFirst(FrameAttributes):
    """How many, for each connection and direction, counted from when the toxic met it."""

    count: int = 0

    def check(self) -> None:
        FrameAttributes.check(self)
        if self.count < 0:
            raise ValueError(f"count must not be negative, is {self.count}")


@toxic("drop_first", DropFirst, go_struct="DropFirstToxic")
class DropFirstStage(FrameStage[DropFirst]):
    """What was dropped stays counted over updates. Counts "dropped" besides."""

    __slots__ = ("_dropped",)

    def __init__(self, attributes: DropFirst, place: Place, now: float) -> None:
        super().__init__(attributes, place, now)
        self._dropped = 0

    def act(self, message: bytes, now: float, out: list[bytes]) -> None:
        if self._dropped < self.attributes.count:
            self._dropped += 1
            self._counts["dropped"] += 1
        else:
            out.append(message)

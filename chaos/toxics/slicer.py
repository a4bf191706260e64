"""slicer: chunks come in small pieces, each written by itself, with a pause after each."""

from dataclasses import dataclass

from chaos.paced import PacedStage
from chaos.stage import Place
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
        if not 0 <= self.size_variation <= self.average_size:
            raise ValueError(
                f"size_variation must be at least 0 and at most average_size, is {self.size_variation}"
            )


@toxic("slicer", Slicer, go_struct="SlicerToxic", go_int="int")
class SlicerStage(PacedStage[Slicer]):
    """Pieces have average_size ± size_variation bytes, at least one; removal lets the rest go as one."""

    __slots__ = ("_chance",)

    def __init__(self, attributes: Slicer, place: Place, now: float) -> None:
        super().__init__(attributes, place, now)
        self._chance = place.chance()

    def plan(self, ready: int, now: float) -> tuple[int, float] | None:
        size = round(self._chance.around(self.attributes.average_size, self.attributes.size_variation))
        # Counted on from when it was due: timers are coarser than these delays.
        due = self._free_at
        self._free_at += self.attributes.delay / 1_000_000
        return min(max(size, 1), ready), due

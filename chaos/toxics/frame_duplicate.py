"""frame_duplicate: whole messages come twice, one right behind the other."""

from dataclasses import dataclass

from chaos.frame_stage import FrameAttributes, FrameStage, check_probability
from chaos.toxics import toxic


@dataclass(frozen=True, slots=True)
class FrameDuplicate(FrameAttributes):
    """Probability from 0 to 1 for each message."""

    probability: float = 0.0

    def check(self) -> None:
        FrameAttributes.check(self)
        check_probability(self.probability)


@toxic("frame_duplicate", FrameDuplicate, go_struct="FrameDuplicateToxic")
class FrameDuplicateStage(FrameStage[FrameDuplicate]):
    """Counts "duplicated" besides."""

    __slots__ = ()

    def act(self, message: bytes, now: float, out: list[bytes]) -> None:
        out.append(message)
        if self._chance.random() < self.attributes.probability:
            self._counts["duplicated"] += 1
            out.append(message)

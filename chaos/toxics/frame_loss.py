"""frame_loss: whole messages get lost, each with the same probability."""

from dataclasses import dataclass

from chaos.frame_stage import FrameAttributes, FrameStage, check_probability
from chaos.toxics import toxic


@dataclass(frozen=True, slots=True)
class FrameLoss(FrameAttributes):
    """Probability from 0 to 1 for each message."""

    probability: float = 0.0

    def check(self) -> None:
        FrameAttributes.check(self)
        check_probability(self.probability)


@toxic("frame_loss", FrameLoss, go_struct="FrameLossToxic")
class FrameLossStage(FrameStage[FrameLoss]):
    """Counts "dropped" besides."""

    __slots__ = ()

    def act(self, message: bytes, now: float, out: list[bytes]) -> None:
        if self._chance.random() < self.attributes.probability:
            self._counts["dropped"] += 1
        else:
            out.append(message)

"""frame_loss=5%: whole messages get lost, each with that probability; frame_loss=5%/push: only such."""

from chaos.fault import fault, needed
from chaos.frame_fault import FrameFault
from chaos.quantities import share


@fault
class FrameLoss(FrameFault):
    """In both directions unless said otherwise; needs our own Toxiproxy."""

    name = "frame_loss"
    example = "frame_loss=5%"
    color = "#d62728"
    wild = ("frame_loss=2%", "frame_loss=20%")

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "FrameLoss":
        probability, _, types = needed(cls, value).partition("/")
        return cls(value, {"probability": share(probability), "types": types}, stream)

"""frame_loss=5%: whole chat frames get lost, each with that probability."""

from chaos.fault import ToxicFault, fault, needed
from chaos.quantities import share


@fault
class FrameLoss(ToxicFault):
    """In both directions unless said otherwise; needs our own Toxiproxy."""

    name = "frame_loss"
    example = "frame_loss=5%"
    color = "#d62728"

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "FrameLoss":
        return cls(value, {"probability": share(needed(cls, value)), "protocol": "chat"}, stream)

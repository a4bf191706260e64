"""frame_reorder=5%/4: messages are overtaken by up to four later ones, each with that probability."""

from chaos.errors import FaultSyntaxError
from chaos.fault import fault, needed
from chaos.frame_fault import FrameFault
from chaos.quantities import share
from chaos.toxics.frame_reorder import FrameReorder as Attributes


@fault
class FrameReorder(FrameFault):
    """In both directions unless said otherwise; needs our own Toxiproxy. Without a window it is three, and no
    message waits longer than 200 ms for later ones."""

    name = "frame_reorder"
    example = "frame_reorder=5%/4"
    color = "#31a354"
    wild = ("frame_reorder=5%/4", "frame_reorder=30%/8")

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "FrameReorder":
        probability, slash, window = needed(cls, value).partition("/")
        if slash and not (window.isascii() and window.isdigit()):
            raise FaultSyntaxError(f"frame_reorder={value}: the window is a number, such as in {cls.example}")
        attributes = {
            "probability": share(probability),
            "window": int(window) if slash else Attributes().window,
        }
        return cls(value, attributes, stream)

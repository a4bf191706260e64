"""frame_duplicate=5%: whole messages come twice, each with that probability; /push: only such."""

from chaos.fault import fault, needed
from chaos.frame_fault import FrameFault
from chaos.quantities import share


@fault
class FrameDuplicate(FrameFault):
    """In both directions unless said otherwise; needs our own Toxiproxy."""

    name = "frame_duplicate"
    example = "frame_duplicate=5%"
    color = "#e6550d"
    wild = ("frame_duplicate=5%", "frame_duplicate=50%")

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "FrameDuplicate":
        probability, _, types = needed(cls, value).partition("/")
        return cls(value, {"probability": share(probability), "types": types}, stream)

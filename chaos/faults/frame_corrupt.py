"""frame_corrupt=1%: messages are damaged so that connections have to end; /body: within the content."""

from chaos.fault import fault, needed
from chaos.frame_fault import FrameFault
from chaos.quantities import share
from chaos.toxics.frame_corrupt import HEADER


@fault
class FrameCorrupt(FrameFault):
    """In both directions unless said otherwise; needs our own Toxiproxy.

    A damaged body that still reads as a message is shown to the user by a client that knows no digest: the
    run notices and fails, as it should.
    """

    name = "frame_corrupt"
    example = "frame_corrupt=1%"
    color = "#843c39"
    wild = ("frame_corrupt=1%",)

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "FrameCorrupt":
        probability, _, part = needed(cls, value).partition("/")
        return cls(value, {"probability": share(probability), "part": part or HEADER}, stream)

"""frame_delay=300ms±100ms: messages come late one by one, others overtake them; /push: only such are late."""

from chaos.fault import fault, needed
from chaos.frame_fault import FrameFault
from chaos.quantities import milliseconds


@fault
class FrameDelay(FrameFault):
    """In both directions unless said otherwise; needs our own Toxiproxy."""

    name = "frame_delay"
    example = "frame_delay=300ms±100ms/push"
    color = "#fdae6b"
    wild = ("frame_delay=300ms±200ms", "frame_delay=500ms/push")

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "FrameDelay":
        times, _, types = needed(cls, value).replace("+-", "±").partition("/")
        delay, _, jitter = times.partition("±")
        attributes = {
            "delay": round(milliseconds(delay)),
            "jitter": round(milliseconds(jitter or "0ms")),
            "types": types,
        }
        return cls(value, attributes, stream)

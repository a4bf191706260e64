"""slicer=64B±32B/1ms: bytes come in small pieces; variation and pause may be left out."""

from chaos.errors import FaultSyntaxError
from chaos.fault import ToxicFault, fault, needed
from chaos.quantities import milliseconds, size_bytes


@fault
class Slicer(ToxicFault):
    """Average size ± variation, and a pause after each piece."""

    name = "slicer"
    example = "slicer=64B±32B/1ms"
    color = "#bcbd22"
    wild = ("slicer=20±10",)
    ends_connections = False

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "Slicer":
        sizes, _, pause = needed(cls, value).replace("+-", "±").partition("/")
        size, _, variation = sizes.partition("±")
        average, spread = size_bytes(size), size_bytes(variation or "0")
        if average < 1 or spread >= average:
            raise FaultSyntaxError(
                f"slicer={value}: the size has to be positive and larger than its variation"
            )
        delay = round(milliseconds(pause or "0ms") * 1000)
        return cls(value, {"average_size": average, "size_variation": spread, "delay": delay}, stream)

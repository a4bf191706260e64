"""rate=200KB/s: no more than that passes in a direction, for all connections together."""

from chaos.errors import FaultSyntaxError
from chaos.fault import fault, needed
from chaos.packet_fault import ImpairmentFault
from chaos.packets.impairment import Impairment
from chaos.quantities import rate_kb_s


@fault
class Rate(ImpairmentFault):
    """A queue of half a second forms before it; what does not fit is lost."""

    name = "rate"
    example = "rate=200KB/s"
    color = "#9edae5"
    wild = ("rate=50KB/s", "rate=500KB/s")
    networks = ("wire",)

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "Rate":
        rate = rate_kb_s(needed(cls, value)) * 1000
        if not rate:
            raise FaultSyntaxError("rate=0KB/s lets nothing pass: that is called partition")
        return cls(value, Impairment(rate_bytes_s=rate), stream)

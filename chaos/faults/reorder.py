"""reorder=5%/20ms: that share of the packets is overtaken by those of the next 20 ms (10 if left out)."""

from chaos.fault import fault, needed
from chaos.packet_fault import ImpairmentFault
from chaos.packets.impairment import Impairment
from chaos.quantities import milliseconds, share


@fault
class Reorder(ImpairmentFault):
    """Those that are held back come alone, behind what was sent after them."""

    name = "reorder"
    example = "reorder=5%/20ms"
    color = "#98df8a"
    wild = ("reorder=5%/20ms", "reorder=20%/50ms")
    networks = ("wire",)

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "Reorder":
        part, _, hold = needed(cls, value).partition("/")
        impairment = Impairment(reorder=share(part), hold_ms=milliseconds(hold or "10ms"))
        return cls(value, impairment, stream)

"""delay=80ms: every packet comes that much later."""

from chaos.fault import fault, needed
from chaos.packet_fault import ImpairmentFault
from chaos.packets.impairment import Impairment
from chaos.quantities import milliseconds


@fault
class Delay(ImpairmentFault):
    """In both directions unless said otherwise, so a round trip takes twice as much."""

    name = "delay"
    example = "delay=80ms"
    color = "#ffbb78"
    wild = ("delay=50ms", "delay=400ms")
    networks = ("wire",)

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "Delay":
        return cls(value, Impairment(delay_ms=milliseconds(needed(cls, value))), stream)

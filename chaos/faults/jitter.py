"""jitter=40ms: every packet comes later by a time between nothing and that."""

from chaos.fault import fault, needed
from chaos.packet_fault import ImpairmentFault
from chaos.packets.impairment import Impairment
from chaos.quantities import milliseconds


@fault
class Jitter(ImpairmentFault):
    """The order stays; for packets that overtake each other there is reorder."""

    name = "jitter"
    example = "jitter=40ms"
    color = "#f7b6d2"
    wild = ("jitter=50ms", "jitter=300ms")
    networks = ("wire",)

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "Jitter":
        middle = milliseconds(needed(cls, value)) / 2
        return cls(value, Impairment(delay_ms=middle, jitter_ms=middle), stream)

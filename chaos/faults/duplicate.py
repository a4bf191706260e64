"""duplicate=2%: that share of the packets comes twice."""

from chaos.fault import fault, needed
from chaos.packet_fault import ImpairmentFault
from chaos.packets.impairment import Impairment
from chaos.quantities import share


@fault
class Duplicate(ImpairmentFault):
    """One right behind the other."""

    name = "duplicate"
    example = "duplicate=2%"
    color = "#c5b0d5"
    wild = ("duplicate=2%", "duplicate=20%")
    networks = ("wire",)

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "Duplicate":
        return cls(value, Impairment(duplicate=share(needed(cls, value))), stream)

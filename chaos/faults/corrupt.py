"""corrupt=1%: that share of the packets comes with a wrong bit; corrupt=1%/unnoticed: and nobody can tell."""

from chaos.errors import FaultSyntaxError
from chaos.fault import fault, needed
from chaos.packet_fault import ImpairmentFault
from chaos.packets.impairment import Impairment
from chaos.quantities import share


@fault
class Corrupt(ImpairmentFault):
    """TCP's checksum shows the damage, and the packet is thrown away where it arrives: a loss that only the
    receiver can count. With `/unnoticed` the checksum is made to fit: only TLS or the application notices."""

    name = "corrupt"
    example = "corrupt=1%"
    color = "#dbdb8d"
    wild = ("corrupt=1%", "corrupt=5%")
    networks = ("wire",)

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "Corrupt":
        part, slash, how = needed(cls, value).partition("/")
        if slash and how != "unnoticed":
            raise FaultSyntaxError(f"corrupt={value}: behind the share there may only be /unnoticed")
        damaged = share(part)
        impairment = Impairment(unnoticed=damaged) if slash else Impairment(corrupt=damaged)
        return cls(value, impairment, stream)

"""loss=5%: packets get lost, each with that probability."""

from chaos.fault import fault, needed
from chaos.packet_fault import ImpairmentFault
from chaos.packets.impairment import Impairment
from chaos.quantities import share


@fault
class Loss(ImpairmentFault):
    """By the wire, whose dice have the run's seed, or by nftables, whose dice have none."""

    name = "loss"
    example = "loss=5%"
    color = "#c49c94"
    wild = ("loss=2%", "loss=10%", "loss=30%")

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "Loss":
        return cls(value, Impairment(loss=share(needed(cls, value))), stream)

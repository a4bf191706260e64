"""nat_forget: the router between forgets every connection at once, and learns them again when it is over."""

from typing import Any

from chaos.fault import fault, unneeded
from chaos.levers import NetworkLever
from chaos.packet_fault import PacketFault
from chaos.packets.trouble import Trouble


@fault
class NatForget(PacketFault):
    """What becomes of one that goes on is up to the kind of NAT (network.nat of the plan)."""

    name = "nat_forget"
    example = "nat_forget at 10s for 30s"
    color = "#7b4173"
    wild = ("nat_forget",)
    networks = ("nat",)
    per_client = False

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "NatForget":
        unneeded(cls, value, stream)
        return cls(None, None)

    def trouble(self, lever: NetworkLever) -> tuple[Trouble, dict[str, Any]]:
        trouble, count = lever.forget()
        return trouble, {"connections": count}

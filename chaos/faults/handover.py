"""handover: clients go on with another address, as from one network to the next; what they had is dead."""

from typing import Any

from chaos.fault import fault, unneeded
from chaos.levers import NetworkLever
from chaos.packet_fault import PacketFault
from chaos.packets.trouble import Trouble


@fault
class Handover(PacketFault):
    """The router between takes another address towards the server and forgets the connections. What becomes
    of one that goes on is up to the kind of NAT (network.nat of the plan), until the fault is over."""

    name = "handover"
    example = "handover at 10s for 15s on clients/25%"
    color = "#ce6dbd"
    wild = ("handover",)
    networks = ("nat",)

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "Handover":
        unneeded(cls, value, stream)
        return cls(None, None)

    def trouble(self, lever: NetworkLever) -> tuple[Trouble, dict[str, Any]]:
        trouble, count, address = lever.hand_over(self.clients)
        return trouble, {"connections": count, "address": address}

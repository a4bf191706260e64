"""dead_peer=20%: a share of the connections is dead, and nobody is told; without a value all of them."""

from typing import Any

from chaos.errors import FaultSyntaxError
from chaos.fault import fault
from chaos.levers import NetworkLever
from chaos.packet_fault import PacketFault
from chaos.packets.trouble import Trouble
from chaos.quantities import share


@fault
class DeadPeer(PacketFault):
    """Of those that there are when it begins: nothing of them passes any more in either direction.
    Who connects again is alive."""

    name = "dead_peer"
    example = "dead_peer=20%"
    color = "#637939"
    wild = ("dead_peer=20%", "dead_peer")
    trials = ("dead_peer=20%", "dead_peer")
    ends_connections = False

    def __init__(self, value: str | None) -> None:
        super().__init__(value, None)
        self._share = 1.0 if value is None else share(value)
        if not self._share:
            raise FaultSyntaxError(f"dead_peer={value} is nobody; write it like {self.example}")

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "DeadPeer":
        if stream:
            raise FaultSyntaxError(f"dead_peer takes no stream; write it like {cls.example}")
        return cls(value)

    def trouble(self, lever: NetworkLever) -> tuple[Trouble, dict[str, Any]]:
        trouble, count = lever.vanish(self._share, self.clients)
        return trouble, {"connections": count}

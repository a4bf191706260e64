"""nat_timeout=30s: the router between forgets connections that said nothing for that long."""

from typing import Any

from chaos.errors import FaultSyntaxError
from chaos.fault import fault, needed
from chaos.levers import NetworkLever
from chaos.packet_fault import PacketFault
from chaos.packets.trouble import Trouble
from chaos.quantities import seconds


@fault
class NatTimeout(PacketFault):
    """In whole seconds, counted from a connection's next packet on. A client that beats more often notices
    nothing (HBT.4)."""

    name = "nat_timeout"
    example = "nat_timeout=30s"
    color = "#a55194"
    wild = ("nat_timeout=1s",)
    networks = ("nat",)
    trials = ("nat_timeout=1s",)
    per_client = False

    def __init__(self, value: str) -> None:
        super().__init__(value, None)
        self._idle_s = seconds(value)
        if self._idle_s < 1:
            raise FaultSyntaxError(f"nat_timeout={value}: a router counts seconds, at least 1")

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "NatTimeout":
        if stream:
            raise FaultSyntaxError(f"nat_timeout takes no stream; write it like {cls.example}")
        return cls(needed(cls, value))

    def trouble(self, lever: NetworkLever) -> tuple[Trouble, dict[str, Any]]:
        return lever.forget_after(self._idle_s), {"idle_s": self._idle_s}

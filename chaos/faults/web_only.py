"""web_only: the router lets HTTP on port 80 through, by a proxy of its own, and nothing else."""

from typing import Any

from chaos.fault import fault, unneeded
from chaos.levers import NetworkLever
from chaos.packet_fault import PacketFault
from chaos.packets.trouble import Trouble


@fault
class WebOnly(PacketFault):
    """tinyproxy on the router: no CONNECT, no upgrade to WebSocket, no TLS; every other port is a black hole.
    Clients are not told, and find out by the ladder that polls pass."""

    name = "web_only"
    example = "web_only at 10s for 20s"
    color = "#e7ba52"
    networks = ("nat",)
    per_client = False
    needs_ladder = True

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "WebOnly":
        unneeded(cls, value, stream)
        return cls(None, None)

    def trouble(self, lever: NetworkLever) -> tuple[Trouble, dict[str, Any]]:
        return lever.web_only(), {}

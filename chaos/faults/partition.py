"""partition: nothing passes between the two sides, for old connections as for new ones."""

from typing import Any

from chaos.fault import fault, unneeded
from chaos.levers import NetworkLever
from chaos.packet_fault import PacketFault
from chaos.packets.trouble import Trouble


@fault
class Partition(PacketFault):
    """With a stream only one way: what the one side says arrives, and no answer does."""

    name = "partition"
    example = "partition at 10s for 5s"
    color = "#000000"
    wild = ("partition",)
    ends_connections = False

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "Partition":
        unneeded(cls, value, None)
        return cls(None, stream)

    def trouble(self, lever: NetworkLever) -> tuple[Trouble, dict[str, Any]]:
        return lever.part(self.streams, self.clients), {"streams": list(self.streams)}

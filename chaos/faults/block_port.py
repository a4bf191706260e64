"""block_port=14000,443/reset: ports of the server are closed by a firewall: drop, reset, or ICMP."""

from typing import Any

from chaos.errors import FaultSyntaxError
from chaos.fault import fault, needed
from chaos.levers import NetworkLever
from chaos.packet_fault import PacketFault
from chaos.packets.firewall import REFUSALS
from chaos.packets.trouble import Trouble

_PORTS = range(1, 65536)


@fault
class BlockPort(PacketFault):
    """For connections that exist as for new ones. Without a word behind the ports they are black holes."""

    name = "block_port"
    example = "block_port=14000/reset"
    color = "#393b79"

    def __init__(self, value: str) -> None:
        super().__init__(value, None)
        numbers, _, how = value.partition("/")
        self._how = how or "drop"
        if self._how not in REFUSALS:
            raise FaultSyntaxError(f"block_port={value}: behind the ports there may be {', '.join(REFUSALS)}")
        words = numbers.split(",")
        if not all(word.isdecimal() and int(word) in _PORTS for word in words):
            raise FaultSyntaxError(
                f"block_port={value}: {numbers!r} are no ports; write it like {self.example}"
            )
        self._ports = [int(word) for word in words]

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "BlockPort":
        if stream:
            raise FaultSyntaxError(f"block_port takes no stream; write it like {cls.example}")
        return cls(needed(cls, value))

    def trouble(self, lever: NetworkLever) -> tuple[Trouble, dict[str, Any]]:
        return lever.block(self._ports, self._how, self.clients), {"ports": self._ports, "how": self._how}

"""Faults of real packets: what they have in common, whatever layer does them."""

from abc import abstractmethod
from typing import Any, ClassVar

from chaos.errors import FaultSyntaxError
from chaos.fault import ALL, DIRECTIONS, STREAMS, Fault
from chaos.levers import NETWORK, NetworkLever
from chaos.packets.impairment import Impairment
from chaos.packets.trouble import Trouble


class PacketFault(Fault[NetworkLever]):
    """Is on for the whole network, in one direction or in both.

    `networks`: the kinds of network that it works in (chaos.packets.network.KINDS). The detail tells the
    layer that does it and, when it is over, what it did to how many packets.
    """

    pulls = NETWORK
    per_client = True
    networks: ClassVar[tuple[str, ...]] = ("veth", "wire", "nat")

    def __init__(self, value: str | None, stream: str | None) -> None:
        stream = stream or "both"
        if stream not in STREAMS:
            raise FaultSyntaxError(f"stream {stream!r} of {self.name}: there are {', '.join(STREAMS)}")
        self.value = value
        self.streams = DIRECTIONS if stream == "both" else (stream,)
        self._troubles: list[Trouble] = []

    @classmethod
    def check_target(cls, target: str) -> None:
        if target != ALL:
            raise FaultSyntaxError(
                f"{cls.name} is on for the whole network, not for {target!r}: leave out `on`"
            )

    @abstractmethod
    def trouble(self, lever: NetworkLever) -> tuple[Trouble, dict[str, Any]]:
        """It is on; what to heal, and what to tell about it."""

    def apply(self, lever: NetworkLever, target: str) -> dict[str, Any]:
        trouble, told = self.trouble(lever)
        self._troubles.append(trouble)
        return {"layer": trouble.layer, "network": lever.kind, **told}

    def heal(self, lever: NetworkLever, target: str) -> dict[str, Any]:
        counts: dict[str, int] = {}
        while self._troubles:
            counts |= lever.heal(self._troubles[-1])
            self._troubles.pop()
        return {"counts": counts} if counts else {}

    def summary(self) -> str:
        where = "" if len(self.streams) > 1 else f" {self.streams[0]}"
        return f"{self.name}{f' {self.value}' if self.value else ''}{where}"


class ImpairmentFault(PacketFault):
    """A fault that is an impairment of each packet."""

    ends_connections = False

    def __init__(self, value: str | None, impairment: Impairment, stream: str | None) -> None:
        super().__init__(value, stream)
        self.impairment = impairment

    def trouble(self, lever: NetworkLever) -> tuple[Trouble, dict[str, Any]]:
        asked = self.impairment.as_dict()
        return lever.impair(self.impairment, self.streams, self.clients), {
            "asked": asked,
            "streams": list(self.streams),
        }

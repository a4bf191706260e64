"""new_network: everybody comes into another network: connections are dead, and no way in is known there."""

from typing import Any

from chaos.errors import FaultSyntaxError
from chaos.fault import ALL, Fault, fault, unneeded
from chaos.levers import SWARM, SwarmLever


@fault
class NewNetwork(Fault[SwarmLever]):
    """Who finds its way in by itself (a scheduler's URL) looks for one anew; for others it is a cut."""

    name = "new_network"
    example = "new_network at 10s"
    color = "#7b4fb0"
    wild = ("new_network",)
    instantaneous = True
    pulls = SWARM

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "NewNetwork":
        unneeded(cls, value, stream)
        return cls()

    @classmethod
    def check_target(cls, target: str) -> None:
        if target != ALL:
            raise FaultSyntaxError(f"new_network is for everybody, not for {target!r}: leave out `on`")

    def apply(self, lever: SwarmLever, target: str) -> dict[str, Any]:
        lever.move()
        return {}

    def heal(self, lever: SwarmLever, target: str) -> dict[str, Any]:
        return {}

    def summary(self) -> str:
        return "new network"

"""dns=dead, dns=lying, dns=slow: what the system's resolver does to those who look for a way in."""

from typing import Any

from chaos.errors import FaultSyntaxError
from chaos.fault import ALL, Fault, fault, needed
from chaos.levers import SWARM, SwarmLever

KINDS = ("dead", "lying", "slow")


@fault
class Dns(Fault[SwarmLever]):
    """Dead: it knows no name. Lying: it gives an address where nobody is. Slow: it takes half a minute.

    Who is connected does not ask; with new_network everybody does, if the target is a scheduler's URL. Acts
    at the swarm's own resolver, so no privilege is needed.
    """

    name = "dns"
    example = "dns=lying at 10s for 20s"
    color = "#5254a3"
    pulls = SWARM
    trials = tuple(f"dns={kind};new_network" for kind in KINDS)
    needs_ladder = True

    def __init__(self, kind: str) -> None:
        if kind not in KINDS:
            raise FaultSyntaxError(f"dns={kind}: there are {', '.join(KINDS)}")
        self._kind = kind
        self._is_on = False

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "Dns":
        if stream:
            raise FaultSyntaxError(f"dns takes no stream; write it like {cls.example}")
        return cls(needed(cls, value))

    @classmethod
    def check_target(cls, target: str) -> None:
        if target != ALL:
            raise FaultSyntaxError(f"dns is for everybody, not for {target!r}: leave out `on`")

    def apply(self, lever: SwarmLever, target: str) -> dict[str, Any]:
        self._is_on = True
        lever.resolve(self._kind)
        return {}

    def heal(self, lever: SwarmLever, target: str) -> dict[str, Any]:
        if self._is_on:
            lever.resolve("")
            self._is_on = False
        return {}

    def summary(self) -> str:
        return f"dns {self._kind}"

"""cut=20%: a share of all connections is reset at once, as when a region loses its network."""

from typing import Any

from chaos.errors import FaultSyntaxError
from chaos.fault import ALL, Fault, fault, needed
from chaos.levers import SWARM, SwarmLever
from chaos.quantities import share


@fault
class Cut(Fault[SwarmLever]):
    """At the clients' side: no proxy is needed, so it can be had at any size. The clients come back by
    themselves."""

    name = "cut"
    example = "cut=20% at 60s"
    color = "#6b3fa0"
    wild = ("cut=20%", "cut=100%")
    instantaneous = True
    pulls = SWARM
    trials = ("cut=20%", "cut=100%")

    def __init__(self, value: str) -> None:
        self._value = value
        self._share = share(value)
        if not self._share:
            raise FaultSyntaxError(f"cut={value} cuts nobody; write it like {self.example}")

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "Cut":
        if stream:
            raise FaultSyntaxError(f"cut takes no stream; write it like {cls.example}")
        return cls(needed(cls, value))

    @classmethod
    def check_target(cls, target: str) -> None:
        if target != ALL:
            raise FaultSyntaxError(f"cut takes from all connections, not from {target!r}: leave out `on`")

    def apply(self, lever: SwarmLever, target: str) -> dict[str, Any]:
        lever.cut(self._share)
        return {"share": self._share}

    def heal(self, lever: SwarmLever, target: str) -> dict[str, Any]:
        return {}

    def summary(self) -> str:
        return f"cut {self._value}"

"""What faults of the server's processes have in common."""

from typing import Any

from chaos.burden import Burden
from chaos.errors import FaultSyntaxError
from chaos.fault import ALL, Fault
from chaos.levers import SERVER, ServerLever


class BurdenFault(Fault[ServerLever]):
    """The server bears something for a while, also when it is killed and started again meanwhile."""

    pulls = SERVER
    ends_connections = False

    def __init__(self, value: str | None, burden: Burden) -> None:
        self.value = value
        self.burden = burden
        self._borne = 0

    @classmethod
    def check_target(cls, target: str) -> None:
        if target not in (ALL, "server"):
            raise FaultSyntaxError(f"{cls.name} is on for the whole server, not for {target!r}")

    def apply(self, lever: ServerLever, target: str) -> dict[str, Any]:
        layer = lever.lay_on(self.burden)
        self._borne += 1
        return {"layer": layer}

    def heal(self, lever: ServerLever, target: str) -> dict[str, Any]:
        while self._borne:
            lever.take_off(self.burden)
            self._borne -= 1
        return {}

    def summary(self) -> str:
        return f"{self.name}{f' {self.value}' if self.value else ''}"

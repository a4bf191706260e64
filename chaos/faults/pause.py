"""pause: processes of the server stand still (SIGSTOP) and go on where they were (SIGCONT)."""

from typing import Any

from chaos.errors import FaultSyntaxError
from chaos.fault import Fault, fault, unneeded
from chaos.levers import SERVER, ServerLever


@fault
class Pause(Fault[ServerLever]):
    """On `access`: one of those that hold connections; on `server`: all of it. As long as it lasts their
    kernel goes on: connections are taken and bytes acknowledged, and nobody answers."""

    name = "pause"
    example = "pause at 10s for 5s on server"
    color = "#a9a9a9"
    wild = ("pause on access", "pause on server")
    pulls = SERVER
    ends_connections = False
    trials = ("pause on access", "pause on server")

    def __init__(self) -> None:
        self._stopped: list[int] = []

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "Pause":
        unneeded(cls, value, stream)
        return cls()

    @classmethod
    def check_target(cls, target: str) -> None:
        if target not in ("access", "server"):
            raise FaultSyntaxError(f"pause needs `on access` or `on server`; write it like {cls.example}")

    def apply(self, lever: ServerLever, target: str) -> dict[str, Any]:
        self._stopped += lever.pause(target)
        return {"pids": list(self._stopped)}

    def heal(self, lever: ServerLever, target: str) -> dict[str, Any]:
        lever.resume(self._stopped)
        self._stopped.clear()
        return {}

    def summary(self) -> str:
        return "pause"

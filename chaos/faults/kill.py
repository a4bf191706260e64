"""kill: processes of the server end by SIGKILL, in the middle of whatever they do, or gently by SIGTERM."""

from typing import Any

from chaos.errors import FaultSyntaxError
from chaos.fault import Fault, fault, unneeded
from chaos.levers import SERVER, ServerLever


@fault
class Kill(Fault[ServerLever]):
    """On `access`: one of those that hold connections; on `server`: all of it, started again at once. On
    `server-gently`: the same by SIGTERM, of a server that others wrote."""

    name = "kill"
    example = "kill at 60s on access"
    color = "#8b0000"
    wild = ("kill on access", "kill on server")
    instantaneous = True
    pulls = SERVER
    trials = ("kill on access", "kill on server")

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "Kill":
        unneeded(cls, value, stream)
        return cls()

    @classmethod
    def check_target(cls, target: str) -> None:
        if target not in ("access", "server", "server-gently"):
            raise FaultSyntaxError(
                f"kill needs `on access`, `on server` or `on server-gently`; write it like {cls.example}"
            )

    def apply(self, lever: ServerLever, target: str) -> dict[str, Any]:
        return {"pids": lever.kill(target)}

    def heal(self, lever: ServerLever, target: str) -> dict[str, Any]:
        return {}

    def summary(self) -> str:
        return "kill -9"

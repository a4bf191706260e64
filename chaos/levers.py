"""What faults pull at: proxies on the path, the swarm's own ends of connections, the server's processes."""

from dataclasses import dataclass
from typing import Any, Protocol

from chaos.control import ToxiproxyControl
from chaos.errors import ChaosError

PROXIES, SWARM, SERVER = "proxies", "swarm", "server"


class SwarmLever(Protocol):
    """The generator."""

    def cut(self, share: float) -> None:
        """That share of all connections is reset at once, from the clients' side, without a word."""


class ServerLever(Protocol):
    """A server whose processes are ours."""

    def kill(self, which: str) -> list[int]:
        """SIGKILL to `which` of its processes, those killed by id. What has to be started again is.

        Raises ChaosError if there is no such process.
        """


@dataclass(frozen=True, slots=True)
class Levers:
    """Those that a run has; None for one that is out of reach."""

    proxies: ToxiproxyControl | None = None
    swarm: SwarmLever | None = None
    server: ServerLever | None = None

    def lever(self, name: str, fault: str) -> Any:
        """The lever of that name. Raises ChaosError that says for what `fault` would need it."""
        lever = getattr(self, name)
        if lever is None:
            raise ChaosError(f"{fault} needs {_NEEDS[name]}")
        return lever


_NEEDS = {
    PROXIES: "proxies in front of the target",
    SWARM: "a swarm of ours",
    SERVER: "a server that the run has started (target embedded)",
}

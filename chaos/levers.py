"""What faults pull at: proxies on the path, the swarm's own ends of connections, the server's processes, and
the network below them all."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from chaos.burden import Burden
from chaos.control import ToxiproxyControl
from chaos.errors import ChaosError
from chaos.packets.impairment import Impairment
from chaos.packets.trouble import Trouble

PROXIES, SWARM, SERVER, NETWORK = "proxies", "swarm", "server", "network"


class SwarmLever(Protocol):
    """The generator."""

    def cut(self, share: float) -> None:
        """That share of all connections is reset at once, from the clients' side, without a word."""

    def move(self) -> None:
        """Everybody is in another network at once: no connection lasts, and no way in is known."""

    def resolve(self, kind: str) -> None:
        """The resolver that clients ask is of that kind, "" for as it was. Raises ChaosError if none asks."""


class ServerLever(Protocol):
    """A server whose processes are ours."""

    def kill(self, which: str) -> list[int]:
        """SIGKILL to `which` of its processes, those killed by id. What has to be started again is.

        Raises ChaosError if there is no such process.
        """

    def pause(self, which: str) -> list[int]:
        """`which` of its processes stand still; those that do by id. Raises ChaosError as `kill` does."""

    def resume(self, pids: Sequence[int]) -> None:
        """Each goes on when it was resumed as often as it was paused; who is gone is passed over."""

    def lay_on(self, burden: Burden) -> str:
        """The server bears that also; the layer that does it. Raises ChaosError."""

    def take_off(self, burden: Burden) -> None:
        """Ends what `lay_on` began."""


class NetworkLever(Protocol):
    """A network of our own between swarm and server. Every method raises ChaosError when it cannot."""

    @property
    def kind(self) -> str:
        """Such as "wire"."""

    def impair(self, impairment: Impairment, streams: Sequence[str], clients: Sequence[str] = ()) -> Trouble:
        """Packets in these directions suffer that, beside what they suffer already. `clients`, here and
        below: only those at these addresses, everybody if there are none."""

    def block(self, numbers: Sequence[int], how: str, clients: Sequence[str] = ()) -> Trouble:
        """The server's ports of these numbers cannot be reached."""

    def vanish(self, share: float, clients: Sequence[str] = ()) -> tuple[Trouble, int]:
        """That share of the connections is dead without a word; how many these are."""

    def part(self, streams: Sequence[str], clients: Sequence[str] = ()) -> Trouble:
        """Nothing passes in these directions."""

    def hand_over(self, clients: Sequence[str] = ()) -> tuple[Trouble, int, str]:
        """The router goes on with another address, which it tells, and the connections that it knew, which
        it counts, are none any more."""

    def web_only(self) -> Trouble:
        """Nothing passes the router but HTTP on port 80, through a proxy."""

    def forget(self) -> tuple[Trouble, int]:
        """The router knows none of the connections any more; how many it knew."""

    def forget_after(self, idle_s: float) -> Trouble:
        """The router forgets a connection that says nothing for so long, counted from its next packet on."""

    def heal(self, trouble: Trouble) -> dict[str, int]:
        """It is over; how many packets it met, in words."""


@dataclass(frozen=True, slots=True)
class Levers:
    """Those that a run has; None for one that is out of reach. `clients`: the addresses that the clients come
    from, each of them always from the same one; () where they cannot be told apart. `seed`: of who is chosen
    when a fault is for a share of them."""

    proxies: ToxiproxyControl | None = None
    swarm: SwarmLever | None = None
    server: ServerLever | None = None
    network: NetworkLever | None = None
    clients: tuple[str, ...] = ()
    seed: int = 1

    def lever(self, name: str, fault: str) -> Any:
        """The lever of that name. Raises ChaosError that says for what `fault` would need it."""
        lever = getattr(self, name)
        if lever is None:
            raise ChaosError(f"{fault} needs {_NEEDS[name]}")
        return lever

    def share_of_clients(self, share: float, key: str) -> tuple[str, ...]:
        """The addresses of about that share of the clients, at least one, the same for the same seed and
        `key`. Raises ChaosError where clients cannot be told apart."""
        if not self.clients:
            raise ChaosError("clients cannot be told apart here, so nothing can be on for a share of them")
        count = max(1, round(share * len(self.clients)))
        chosen = random.Random(f"{self.seed}/{key}").sample(range(len(self.clients)), count)
        return tuple(self.clients[number] for number in sorted(chosen))


_NEEDS = {
    PROXIES: "proxies in front of the target",
    SWARM: "a swarm of ours",
    SERVER: "a server that the run has started (target embedded)",
    NETWORK: "a network of its own (network.kind of the plan, or --network)",
}

"""A swarm on other machines, as a run is told of it: how many, and where they find the master."""

import socket
from dataclasses import dataclass

from chaos.levers import PROXIES
from chatproof import limits
from chatproof.errors import CannotRun, WrongUse
from chatproof.plan import EMBEDDED, Plan

ANYWHERE = ("*", "0.0.0.0")


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """`machines` join the master that listens on `host` and `port`."""

    machines: int
    host: str
    port: int

    @classmethod
    def parse(cls, machines: int | None, bind: str | None) -> "Elsewhere | None":
        """Of the options --machines and --bind; None without them. Raises WrongUse."""
        if machines is None and bind is None:
            return None
        if machines is None or bind is None:
            raise WrongUse("a swarm on other machines needs both --machines N and --bind HOST:PORT")
        if machines < 1:
            raise WrongUse(f"--machines is at least 1, not {machines}")
        host, port = host_and_port(bind, "--bind")
        return cls(machines, host, port)

    def fit(self, plan: Plan) -> None:
        """The plan has as many swarm processes on each machine, and what belongs to a machine counts for one.

        Raises WrongUse for what cannot be reached from other machines, CannotRun if the address is not free.
        """
        if plan.network.is_apart:
            raise WrongUse(
                f'other machines cannot be in a network of the run\'s own ("{plan.network.kind}"): '
                f"leave out --machines, or network.kind"
            )
        if plan.target.url == EMBEDDED:
            raise WrongUse(
                "other machines cannot reach the embedded server: start one with chatproof serve --listen "
                "tcp://ADDRESS:PORT and name it with --target and --accounts"
            )
        if any(fault.picks_clients for fault in plan.faults):
            raise WrongUse(
                "clients of other machines have addresses that nobody here knows: a fault cannot pick some "
                "of them; leave out `on clients/…`"
            )
        proxied = bool(plan.toxiproxy) or any(fault.pulls == PROXIES for fault in plan.faults)
        if proxied and self.host in ANYWHERE:
            raise WrongUse(
                f"faults on the path need an address of this machine that the others can reach: "
                f"--bind ADDRESS:{self.port} instead of {self.host}"
            )
        each = -(-plan.swarm_processes // self.machines)
        plan.processes = each * self.machines
        plan.swarm.setdefault("pace", limits.pace_for(each))
        plan.check()
        self._check_free()

    def _check_free(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("0.0.0.0" if self.host in ANYWHERE else self.host, self.port))
            except OSError as error:
                raise CannotRun(
                    f"cannot listen on {self.host}:{self.port}: {error.strerror or error}; "
                    f"give another address with --bind"
                ) from error


def host_and_port(text: str, option: str) -> tuple[str, int]:
    """`HOST:PORT`, IPv4 or a name. Raises WrongUse."""
    host, _, port = text.rpartition(":")
    if not host or ":" in host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise WrongUse(f"{option} {text!r}: write HOST:PORT, such as 10.0.0.1:5557")
    return host, int(port)

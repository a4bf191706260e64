"""The suite under a fault plan: the same cases, side by side, while the network between breaks and heals.

What a fault did to a bare connection cannot be told from what the target did, so such a case is tried again,
on new accounts, and its verdict is that of the first try that passes, else of the last: a target that is
wrong is wrong each time. A case of real clients has no second try: they have to make good what breaks.
"""

import inspect
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakSet

import pytest

from chaos.control import ToxiproxyControl
from chaos.errors import ChaosError
from chaos.fault import fault_kinds
from chaos.fault_plan import FaultPlan
from chaos.frame_fault import FrameFault
from chaos.levers import PROXIES, Levers, ServerLever
from chaos.own_proxy import OwnToxiproxy
from chaos.packets.network import SERVER_ADDRESS, Network
from chaos.schedule import FaultSchedule
from drivers.endpoints import Endpoint
from drivers.pumps.blocking import Device

if TYPE_CHECKING:
    from refserver.process import ServerProcess

weather_key = pytest.StashKey["Weather"]()

TRIES = 5
PAUSE_S = 3.0
"""Before the next try: a server that was killed has to be there again."""
PATIENCE = 4.0
"""By what the time limits of real clients are multiplied: they wait for outages to end."""
AT_ONCE = 10
CLAUSES = ("DLV.*", "ORD.*", "UNR.*", "HBT.1", "HBT.2", "HBT.4", "HBT.6", "CHN.[34567]")
"""Those that a fault plan is about, if nobody asks for others."""
_LONGEST_S = 3600.0
_PORTS = (14000, 443, 8080, 80)
_HTTP_PORT = 8081
_APART = ("tcp", "tls", "wss", "ws")
_LADDER = "ladder"
_BARE = frozenset({"clients", "phone", "strait", "web", "wire"})


class Company:
    """The clients of all cases that run now. Implements chaos.levers.SwarmLever."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(f"{seed}/company")
        self._devices: WeakSet[Device] = WeakSet()

    def add(self, device: Device) -> None:
        """It is among those that faults find."""
        self._devices.add(device)

    def cut(self, share: float) -> None:
        """See chaos.levers.SwarmLever."""
        devices = sorted(self._devices, key=lambda each: each.name)
        for device in self._dice.sample(devices, round(len(devices) * share)):
            device.cut()

    def move(self) -> None:
        """See chaos.levers.SwarmLever."""
        for device in list(self._devices):
            ladder = device.client.ladder
            if ladder is not None:
                ladder.on_network(f"network {self._dice.random()}", time.monotonic())
        self.cut(1.0)

    def resolve(self, kind: str) -> None:
        """See chaos.levers.SwarmLever."""
        raise ChaosError("dns is a fault of a swarm; cases have their own resolvers")


@dataclass(slots=True)
class Weather:
    """A fault plan around one run of the suite, in `network` if it needs one: this process is on the clients'
    side of it. `lever`: what faults can do to the server that the suite has started."""

    plan: FaultPlan
    seed: int
    network: Network | None
    lever: "Callable[[ServerProcess], ServerLever]"
    company: Company = field(init=False)
    _schedule: FaultSchedule | None = None
    _proxy: OwnToxiproxy | None = None
    _control: ToxiproxyControl | None = None

    def __post_init__(self) -> None:
        self.company = Company(self.seed)

    @property
    def by_ladder(self) -> bool:
        """Whether clients have to find their way in by themselves."""
        return self.plan.carrier == _LADDER

    @property
    def _changes_messages(self) -> bool:
        """Whether whole messages get lost, doubled or late, which only a real client makes good."""
        kinds = fault_kinds()
        specs = self.plan.schedule(self.plan.length_s)
        return any(issubclass(kinds[spec.name], FrameFault) for spec in specs)

    @property
    def listen(self) -> list[str]:
        """Where the server is to listen: on four ports that serve everything, or, where processes of its own
        hold the connections, on one for each carrier; and for short requests."""
        schemes = _APART if self.plan.access_processes else ("any",) * len(_PORTS)
        host, ports = "127.0.0.1", [0] * (len(_PORTS) + 1)
        if self.network is not None:
            host, ports = SERVER_ADDRESS, [*_PORTS, _HTTP_PORT]
        return [f"{scheme}://{host}:{port}" for scheme, port in zip((*schemes, "http"), ports, strict=True)]

    @property
    def within(self) -> Sequence[str]:
        """Words before those of the server's command."""
        return () if self.network is None else self.network.server.prefix()

    def through(self, endpoints: Sequence[Endpoint]) -> tuple[Endpoint, ...]:
        """The same access points behind proxies, if the plan has faults of these. Raises ToxiproxyError."""
        if not any(spec.pulls == PROXIES for spec in self.plan.schedule(self.plan.length_s)):
            return tuple(endpoints)
        if self._control is None:
            self._proxy = OwnToxiproxy(self.seed)
            self._control = ToxiproxyControl(self._proxy.url)
        behind = []
        for number, endpoint in enumerate(endpoints, len(self._control.proxies()) + 1):
            upstream = f"{endpoint.host}:{endpoint.port}"
            listen = self._control.create_proxy(f"access-{number}", "127.0.0.1:0", upstream)
            behind.append(endpoint.moved("127.0.0.1", int(listen.rpartition(":")[2])))
        return tuple(behind)

    def begin(self, server: "ServerProcess") -> None:
        """The phases follow each other from now on."""
        levers = Levers(self._control, self.company, self.lever(server), self.network, seed=self.seed)
        specs = self.plan.schedule(_LONGEST_S if self.plan.repeat else self.plan.length_s)
        self._schedule = FaultSchedule(specs, levers)
        self._schedule.start(time.monotonic())

    def end(self) -> None:
        """Everything is healed. Raises FaultsFailed with what could not be applied or healed."""
        schedule, self._schedule = self._schedule, None
        try:
            if schedule is not None:
                schedule.heal_all()
        finally:
            if self._proxy is not None:
                self._proxy.stop()
                self._proxy = self._control = None

    def left_out(self, item: pytest.Item, given: frozenset[str]) -> str | None:
        """Why a case means nothing under the plan; None if it does. `given`: what cases can have."""
        for mark in item.iter_markers("calm"):
            return f"under a fault plan: {mark.args[0]}"
        wanted = parameters(item) - given
        if "server" in wanted or "started" in wanted:
            return "under a fault plan: it ends the server itself, which others use meanwhile"
        if wanted:
            return "under a fault plan: what one fault breaks would be lost to all cases that share it"
        if self._changes_messages and parameters(item) & _BARE:
            return f"under {self.plan.name}: bare connections take messages as they come, and some change"
        if self.by_ladder and parameters(item) & _BARE:
            return f"under {self.plan.name}: bare connections do not look for a way round blocked ports"
        return None

    def tries(self, item: pytest.Item) -> int:
        """How often a case may be tried."""
        return TRIES if parameters(item) & _BARE else 1


def column(plan: str, carrier: str) -> str:
    """What results under a fault plan stand under."""
    return plan if carrier == "tcp" else f"{plan}-{carrier}"


def parameters(item: pytest.Item) -> frozenset[str]:
    """What a case asks for by name, without what its own table gives it."""
    if not isinstance(item, pytest.Function):
        return frozenset()
    own = getattr(item, "callspec", None)
    return frozenset(inspect.signature(item.function).parameters) - frozenset(own.params if own else ())

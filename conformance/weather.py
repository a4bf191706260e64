"""The suite under a fault plan: the same cases, side by side, while the network between breaks and heals.

A case has one try. It gets another one, on new accounts, only when a fault has broken a bare connection that
it was using and the evidence says so (`conformance.exposed`): never after an answer, a missing one over a
connection that works, or anything that real clients did, who have to make good what breaks.
"""

import inspect
import itertools
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakSet

import pytest

from chaos.control import ToxiproxyControl
from chaos.errors import ChaosError
from chaos.fault import fault_kinds
from chaos.fault_plan import FaultPlan
from chaos.frame_fault import FrameFault
from chaos.levers import PROXIES, SWARM, Levers, ServerLever
from chaos.own_proxy import OwnToxiproxy
from chaos.packet_fault import PacketFault
from chaos.packets.nat import SILENT
from chaos.packets.network import NAT, SERVER_ADDRESS, Network
from chaos.schedule import FaultRecord, FaultSchedule
from conformance.exposed import Life, is_silence
from conformance.phases import Spell, spells
from drivers.endpoints import Endpoint
from drivers.pumps.blocking import Device

if TYPE_CHECKING:
    from refserver.process import ServerProcess

weather_key = pytest.StashKey["Weather"]()

TRIES = 5
PAUSE_S = 3.0
"""Before the next try: a server that was killed has to be there again."""
LATE_S = 15.0
"""By so much later than else the end of a connection may be heard of: what a plan holds up is sent again
after a while that doubles each time."""
AT_ONCE = 10
CLAUSES = ("DLV.*", "ORD.*", "UNR.*", "HBT.1", "HBT.2", "HBT.4", "HBT.6", "CHN.[34567]")
"""Those that a fault plan is about, if nobody asks for others."""
_LONGEST_S = 3600.0
_HOST = "127.0.0.1"
_PORTS = (14000, 443, 8080, 80)
_HTTP_PORT = 8081
_APART = ("tcp", "tls", "wss", "ws")
_LADDER = "ladder"
_AFTERMATH_S = 5.0
"""So long after a fault who was killed may still not be there."""
_NS = 1e9
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
    side of it. `lever`: what faults can do to the server that the suite has started. `addresses`: where
    clients come from, in turn, if faults are to meet some of them; () for wherever the system likes.
    `seekers_ask`: where clients ask for a way in that have to find it by themselves."""

    plan: FaultPlan
    seed: int
    network: Network | None
    lever: "Callable[[ServerProcess], ServerLever]"
    addresses: tuple[str, ...] = ()
    company: Company = field(init=False)
    records: list[FaultRecord] = field(default_factory=list)
    seekers_ask: tuple[Endpoint, ...] = ()
    _began: float = 0.0
    _turn: Iterator[str | None] = field(init=False)
    _schedule: FaultSchedule | None = None
    _proxy: OwnToxiproxy | None = None
    _control: ToxiproxyControl | None = None

    def __post_init__(self) -> None:
        self.company = Company(self.seed)
        self._turn = itertools.cycle(self.addresses or (None,))

    def source(self) -> str | None:
        """Where the next client comes from; None for wherever the system likes."""
        return next(self._turn)

    def has(self, *faults: str) -> bool:
        """Whether one of these faults is on in any phase."""
        return any(spec.name in faults for phase in self.plan.phase for spec in phase.specs)

    def upcoming(self) -> Iterator[Spell]:
        """The phases that begin from now on; endless if the plan repeats."""
        return spells(self.plan, self._began, time.monotonic())

    def coming_round(self) -> list[Spell]:
        """The next phases, each once."""
        return list(itertools.islice(self.upcoming(), len(self.plan.phase)))

    @property
    def host(self) -> str:
        """The server's address, as the clients' side has to know it."""
        return _HOST if self.network is None else SERVER_ADDRESS

    @property
    def web_port(self) -> int:
        """Where the server takes requests, the scheduler's among them, in a network of its own."""
        return _HTTP_PORT if self.plan.access_processes else _PORTS[-1]

    @property
    def name_port(self) -> int:
        """Where it answers for names: a port that plans close first."""
        return _HTTP_PORT if self.plan.access_processes else _PORTS[0]

    @property
    def by_ladder(self) -> bool:
        """Whether clients have to find their way in by themselves."""
        return self.plan.carrier == _LADDER

    def open_port(self, carrier: str) -> int | None:
        """One of the server's ports by which bare connections over that carrier get through in every phase;
        None if there is none."""
        if self.has("web_only", "http_only"):
            return _PORTS[-1] if carrier.endswith("poll") else None
        blocked = [spec for phase in self.plan.phase for spec in phase.specs if spec.name == "block_port"]
        closed = {int(port) for spec in blocked for port in str(spec.value).partition("/")[0].split(",")}
        return next((port for port in _PORTS if port not in closed), None)

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
        host, ports = _HOST, [0] * (len(_PORTS) + 1)
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
        lever = self.lever(server)
        levers = Levers(self._control, self.company, lever, self.network, self.addresses, self.seed)
        specs = self.plan.schedule(_LONGEST_S if self.plan.repeat else self.plan.length_s)
        self._schedule = FaultSchedule(specs, levers)
        self.records = self._schedule.records
        self._began = time.monotonic()
        self._schedule.start(self._began)

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

    def cause(self, life: Life, error: OSError | None, *, is_tunnel: bool = False) -> str | None:
        """Which fault has ended a connection, or kept it from being made, that has this `life` behind it and
        ends with `error`, or with None by its peer; None if it was none. `is_tunnel`: nobody sees what
        becomes of the connections behind it."""
        if is_silence(error):
            return "and nothing that was sent was answered any more"
        now = time.monotonic()
        since = life.opened_at - (0.0 if life.is_made else _AFTERMATH_S)
        for record in reversed(self.records):
            if _ended_by(record, now) < since:
                continue
            if self._ends_connections(record.name) or is_tunnel or not life.is_made:
                return _ago(record, now)
            if life.unanswered_s >= life.may_be_silent_s and _ended_by(record, now) >= life.heard_at:
                return f"unheard for {life.unanswered_s:.1f} s, {_ago(record, now)}"
        return None

    def _ends_connections(self, fault: str) -> bool:
        """Whether a bare connection may be ended by it."""
        kind = fault_kinds()[fault]
        if issubclass(kind, PacketFault) and kind.networks == (NAT,) and self.plan.nat == SILENT:
            return False  # such a router tells nobody what it has forgotten
        if kind.pulls == SWARM or (self.by_ladder and fault == "block_port"):
            return False  # the one is for clients, the other for ports where no bare connection is
        return kind.ends_connections

    def left_out(self, item: pytest.Item, given: frozenset[str], carrier: str) -> str | None:
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
        if self.by_ladder and self.open_port(carrier) is None and parameters(item) & _BARE:
            return f"under {self.plan.name}: bare connections over {carrier} do not look for another way"
        return None


def _ended_by(record: FaultRecord, now: float) -> float:
    return now if record.end_ns is None else record.end_ns / _NS


def _ago(record: FaultRecord, now: float) -> str:
    end = "still on" if record.end_ns is None else f"over for {now - record.end_ns / _NS:.1f} s"
    return f"{record.detail['summary']} begun {now - record.start_ns / _NS:.1f} s before, {end}"


def column(plan: str, carrier: str) -> str:
    """What results under a fault plan stand under."""
    return plan if carrier == "tcp" else f"{plan}-{carrier}"


def parameters(item: pytest.Item) -> frozenset[str]:
    """What a case asks for by name, without what its own table gives it."""
    if not isinstance(item, pytest.Function):
        return frozenset()
    own = getattr(item, "callspec", None)
    return frozenset(inspect.signature(item.function).parameters) - frozenset(own.params if own else ())

"""Run plans: TOML files that say what a run is, and the options of the command line over them."""

import tomllib
from dataclasses import fields
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from chaos.errors import FaultSyntaxError
from chaos.packets import nat
from chaos.packets.loopback import LOOPBACK
from chaos.packets.network import KINDS, NAT
from chaos.plan import FaultSpec
from chaos.quantities import seconds
from chatproof import limits, starting
from chatproof.errors import WrongUse
from chatproof.listening import CARRIERS, PROCESSES
from drivers.contract import Dialect
from drivers.endpoints import TargetError, parse_target
from ledger.errors import ThresholdError
from ledger.summary import empty_summary
from ledger.thresholds import parse
from scenarios.capabilities import lacking
from scenarios.options import SwarmOptions, population_of
from scenarios.population import PopulationError

EMBEDDED = "embedded"
_FRAMES = "frame_"
NO_NETWORK = "none"
SCENARIOS = ("chat", "heartbeat")
SHAPES = ("ramp", "steps", "spike", "soak")


class Target(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """[target]: `url` "embedded" starts the reference server with `tcp_ports` access points; anything else is
    a server that runs already, with the accounts of `accounts`. `endpoints`: its further access points.
    `start`: the server of that name that others wrote is started instead (chatproof.starting), with accounts
    of its own; `query`: what its URL gets behind the question mark, such as "version=5&qos=2".
    `access_processes` left out: none beside the one that stores, or as many as the connections need.
    `carrier`: by which the swarm comes to the embedded server (chatproof.listening.CARRIERS).
    `pace`: seconds between two looks of an access process at its sockets; left out: at once, or slower where
    many processes share a core."""

    url: str = EMBEDDED
    start: str = ""
    query: str = ""
    endpoints: list[str] = []
    accounts: str = ""
    carrier: str = "tcp"
    tcp_ports: int = 1
    access_processes: int | None = None
    pace: float | None = None

    @property
    def is_ours(self) -> bool:
        """Whether it is the reference server, started for the run."""
        return self.url == EMBEDDED and not self.start

    @property
    def dialect(self) -> Dialect:
        """Raises TargetError or WrongUse."""
        if self.start:
            return parse_target(f"{starting.find(self.start).dialect}://127.0.0.1").dialect
        return parse_target("chat://127.0.0.1" if self.is_ours else self.url).dialect


class NetworkPlan(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """[network]: `kind` "none" is the machine's own; "loopback" is one with room for millions, swarm and
    embedded server both in it; "veth", "wire" and "nat" are networks of the run's own,
    the swarm on one side and the embedded server on the other (docs/packets.md). `nat`: what becomes of
    connections that the router has forgotten, "silent", "healing" or "reset"; `forgets_after`: after which
    silence it does, "" for days. `capture`: of how many connections the packets are kept, the last
    `capture_mb` megabytes of them."""

    kind: str = NO_NETWORK
    nat: str = nat.SILENT
    forgets_after: str | float = ""
    capture: int = 0
    capture_mb: int = 16

    @property
    def own(self) -> str | None:
        """The kind of the network between the two sides of the run, None if there is none of its own."""
        return None if self.kind in (NO_NETWORK, LOOPBACK) else self.kind

    @property
    def is_apart(self) -> bool:
        """Whether the run is in a namespace, where nobody else can reach it."""
        return self.kind != NO_NETWORK

    @property
    def forgets_after_s(self) -> float | None:
        return None if self.forgets_after == "" else _seconds(self.forgets_after, "network.forgets_after")


class NemesisPlan(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """[nemesis]: a random schedule from `seed` (chaos.nemesis): about `density` faults at a time, none longer
    than `longest`; `faults`: their names, left out for all that are possible."""

    seed: int
    density: float = 2.5
    longest: str | float = "5s"
    faults: list[str] = []

    @property
    def longest_s(self) -> float:
        return _seconds(self.longest, "nemesis.longest")


class Plan(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The whole of a plan. Times are texts such as "60s" or numbers of seconds.

    `processes` 0: as many as the connections need. `duration`: of the load, after everybody is online.
    `rate`: messages a second in total. `swarm`: any option of the scenario (see `chatproof run --help`).
    `toxiproxy`: "" starts one of our own when there are faults; a URL uses one that runs.
    `fault_plan`: of the library by name, or a file (docs/faults.md). Network and carrier are chosen to fit it
    where they are not said; the plan in the run folder has its faults, and those of `nemesis`, one by one.
    """

    name: str = "default"
    scenario: str = "chat"
    duration: str | float = "30s"
    connections: int = 2000
    processes: int = 0
    rate: float = 100.0
    seed: int = 1
    shape: str = "ramp"
    ramp: str | float = "5s"
    toxiproxy: str = ""
    fault_plan: str = ""
    nemesis: NemesisPlan | None = None
    target: Target = msgspec.field(default_factory=Target)
    network: NetworkPlan = msgspec.field(default_factory=NetworkPlan)
    swarm: dict[str, Any] = {}
    fault: list[dict[str, Any]] = []
    thresholds: list[str] = []

    @property
    def duration_s(self) -> float:
        return _seconds(self.duration, "duration")

    @property
    def ramp_s(self) -> float:
        return _seconds(self.ramp, "ramp")

    @property
    def faults(self) -> list[FaultSpec]:
        return [FaultSpec.from_mapping(table) for table in self.fault]

    @property
    def swarm_processes(self) -> int:
        """How many processes hold the connections at the generator's side."""
        return self.processes or limits.processes_for(self.connections)

    @property
    def access_processes(self) -> int:
        """How many hold them at the embedded server's side; 0: the one that stores does it all."""
        if self.target.access_processes is not None:
            return self.target.access_processes
        needed = limits.processes_for(self.connections)
        return needed if needed > 1 and self.target.carrier in PROCESSES else 0

    @property
    def server_pace_s(self) -> float:
        """How often an access process of the embedded server looks at its sockets; 0: at once."""
        if self.target.pace is not None:
            return self.target.pace
        return limits.pace_for(self.access_processes)

    @property
    def cohorts(self) -> int:
        """How many Locust users hold the connections, evenly over the processes."""
        return self.connections // self.options().cohort

    def options(self, **more: Any) -> SwarmOptions:
        """The scenario's options, with `more` over those of the plan."""
        values = {"seed": self.seed, **self.swarm, **more}
        values.setdefault("cohort", _cohort_size(self.connections, self.swarm_processes))
        values.setdefault("sources", limits.sources_for(self.connections, self.target.tcp_ports))
        values.setdefault("pace", limits.pace_for(self.swarm_processes))
        for name in lacking(self.target.dialect.offers):
            values.setdefault(name, 0.0)
        if self.rate:
            chatting = population_of(SwarmOptions(**values)).chatting(self.connections // values["cohort"])
            values["send_rate"] = self.rate / chatting
        return SwarmOptions(**values)

    def check(self) -> None:
        """Raises WrongUse for whatever would only show later."""
        _one_of("scenario", self.scenario, SCENARIOS)
        _one_of("shape", self.shape, SHAPES)
        known = {option.name: type(option.default) for option in fields(SwarmOptions)}
        for key, value in self.swarm.items():
            if key not in known:
                raise WrongUse(f"plan {self.name}: [swarm] has no {key!r}; there are {', '.join(known)}")
            if not isinstance(value, int | float if known[key] is float else known[key]):
                raise WrongUse(f"plan {self.name}: swarm.{key} is a {known[key].__name__}, not {value!r}")
        for key, least in (("connections", 1), ("processes", 0)):
            if getattr(self, key) < least:
                raise WrongUse(f"plan {self.name}: {key} is at least {least}, not {getattr(self, key)}")
        try:
            self._check_capabilities()
            options = self.options()
            if self.connections % options.cohort:
                raise WrongUse(
                    f"plan {self.name}: {self.connections} connections are no multiple of a cohort of "
                    f"{options.cohort}; change connections or swarm.cohort"
                )
            population_of(options)
            for spec in self.faults:
                spec.fault()
                spec.check_network(self.network.own)
            figures = empty_summary() if self.thresholds else {}
            for expression in self.thresholds:
                parse(expression).evaluate(figures)
            if self.target.url != EMBEDDED:
                for url in [self.target.url, *self.target.endpoints]:
                    parse_target(url)
            self._check_accounts()
        except (PopulationError, FaultSyntaxError, ThresholdError, TargetError) as error:
            raise WrongUse(f"plan {self.name}: {error}") from error
        if not self.target.start:
            _one_of("target.carrier", self.target.carrier, CARRIERS)
        if self.target.access_processes and not self.target.start and self.target.carrier not in PROCESSES:
            raise WrongUse(
                f"plan {self.name}: what comes by {self.target.carrier} is held by the process that stores; "
                "leave out target.access_processes"
            )
        self._check_network()
        if self.duration_s <= 0:
            raise WrongUse(f"plan {self.name}: the duration is longer than nothing, not {self.duration}")

    def _check_capabilities(self) -> None:
        dialect = self.target.dialect
        for name, needed in lacking(dialect.offers).items():
            if self.swarm.get(name):
                raise WrongUse(
                    f"plan {self.name}: swarm.{name} needs {needed}, which {dialect.name} does not offer"
                )
        if self.target.start and self.target.url != EMBEDDED:
            raise WrongUse(f"plan {self.name}: target.start and target.url are two targets; leave out one")
        if dialect.framing is None:
            for spec in self.faults:
                if spec.name.startswith(_FRAMES):
                    raise WrongUse(
                        f"plan {self.name}: {spec.name} has to know messages, and nobody knows those of "
                        f"{dialect.name}; use a fault of bytes or packets"
                    )

    def _check_accounts(self) -> None:
        target = self.target
        if target.url == EMBEDDED or target.accounts or not target.dialect.needs_accounts:
            return
        raise WrongUse(
            f"target {target.url} needs accounts: name a file with --accounts "
            f"(user,token or user,password a line; those of Chatproof's own: chatproof accounts token)"
        )

    def _check_network(self) -> None:
        network = self.network
        _one_of("network", network.kind, (NO_NETWORK, LOOPBACK, *KINDS))
        _one_of("network.nat", network.nat, tuple(nat.KINDS))
        if network.own is None and network.capture:
            raise WrongUse(
                f"plan {self.name}: network.capture needs a network of the run's own (network.kind)"
            )
        if not network.is_apart:
            return
        for key, value in (("target", not self.target.is_ours), ("toxiproxy", bool(self.toxiproxy))):
            if value:
                raise WrongUse(
                    f"plan {self.name}: a network of the run's own leads to the embedded server only, "
                    f"not to the {key} given; leave out one of both"
                )
        least = network.forgets_after_s
        if least is not None and (network.kind != NAT or least < 1):
            raise WrongUse(f'plan {self.name}: network.forgets_after is for kind "{NAT}" and at least 1 s')
        if network.capture < 0 or not 1 <= network.capture_mb <= 1024:
            raise WrongUse(f"plan {self.name}: network.capture is at least 0, capture_mb from 1 to 1024")


def shipped() -> list[str]:
    """Names of the plans that come with Chatproof."""
    return sorted(
        file.name[:-5] for file in files("chatproof.plans").iterdir() if file.name.endswith(".toml")
    )


def load_plan(name: str) -> Plan:
    """A plan file, or a shipped plan by name. Raises WrongUse with the place of the first mistake."""
    path = Path(name)
    if not path.suffix and not path.exists():
        if name not in shipped():
            raise WrongUse(f"there is no plan {name!r}; shipped are {', '.join(shipped())}, or give a file")
        text = files("chatproof.plans").joinpath(f"{name}.toml").read_text()
    else:
        try:
            text = path.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise WrongUse(f"plan {name}: {getattr(error, 'strerror', None) or error}") from error
    return parse_plan(text, name)


def parse_plan(text: str, name: str) -> Plan:
    """The plan of a TOML text; `name` is for messages. Raises WrongUse."""
    try:
        return msgspec.convert({"name": Path(name).stem, **tomllib.loads(text)}, Plan)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise WrongUse(f"plan {name}: {error}") from error


def as_toml(plan: Plan) -> str:
    """The plan as it was run, every value written out, so that the file alone repeats it."""
    tables = msgspec.to_builtins(plan)
    faults = tables.pop("fault")
    nemesis = tables.pop("nemesis")
    parts = {key: tables.pop(key) for key in ("target", "network", "swarm")}
    text = _toml_lines(tables)
    parts |= {} if nemesis is None else {"nemesis": nemesis}
    text += "".join(f"\n[{key}]\n{_toml_lines(part)}" for key, part in parts.items())
    return text + "".join("\n[[fault]]\n" + _toml_lines(fault) for fault in faults)


def _toml_lines(table: dict[str, Any]) -> str:
    # A JSON string, number, boolean or list of strings is TOML as it stands; for null it has nothing.
    return "".join(
        f"{key} = {msgspec.json.encode(value).decode()}\n"
        for key, value in table.items()
        if value is not None
    )


def _cohort_size(connections: int, processes: int) -> int:
    """The largest size from 500 down that divides the connections evenly and gives every process some."""
    for size in range(min(500, connections // processes), 9, -1):
        if connections % size == 0 and connections // size >= processes * 4:
            return size
    return max(connections // processes, 1)


def _one_of(key: str, value: str, possible: tuple[str, ...]) -> None:
    if value not in possible:
        raise WrongUse(f"there is no {key} {value!r}; there are {', '.join(possible)}")


def _seconds(value: str | float, key: str) -> float:
    if isinstance(value, int | float):
        return float(value)
    try:
        return seconds(value)
    except FaultSyntaxError as error:
        raise WrongUse(f"{key}: {error}") from error

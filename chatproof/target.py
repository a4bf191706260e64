"""What a run is pointed at: the embedded reference server with accounts of its own, or somebody's server."""

import random
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import msgspec

from chaos.faults.full_disk import FullDisk
from chaos.packets.network import SERVER_ADDRESS, Network
from chatproof import starting
from chatproof.embedded import EmbeddedServer, embedded, volume_for
from chatproof.errors import CannotRun, WrongUse
from chatproof.listening import HERE, addresses, certificate, endpoints
from chatproof.plan import EMBEDDED, Plan
from chatproof.started import StartedServer
from drivers.accounts import AccountsFile
from drivers.endpoints import Endpoint, parse_target
from drivers.events import Closed, ConnectFailed, Event, LoggedIn, Refused
from drivers.pumps.blocking import Device
from drivers.pumps.resolve import resolved
from drivers.pumps.wire import Expected
from protocol.names import GROUP_PREFIX
from refserver import accounts
from refserver.process import ServerProcess
from scenarios.options import population_of

_PROBE_S = 10.0
_TOKEN_TTL_S = 7 * 86400.0


@dataclass(frozen=True, slots=True)
class Running:
    """A target that answers. `server`: its processes, when we started it."""

    endpoints: tuple[Endpoint, ...]
    accounts: Path
    server: EmbeddedServer | StartedServer | None = None

    @property
    def pids(self) -> list[int]:
        """Of the server's processes that run now."""
        return [] if self.server is None else self.server.pids


@contextmanager
def running_target(plan: Plan, folder: Path, network: Network | None = None) -> Iterator[Running]:
    """The target for the length of the block; a server that was started is drained at the end.
    With a `network` of the run's own the server is on its far side, on the ports that the protocol has.

    Raises CannotRun when it does not start, TargetError for a URL or name that cannot be used.
    """
    if plan.target.start:
        with _started(plan, folder) as running:
            yield running
        return
    if plan.target.url != EMBEDDED:
        urls = [plan.target.url, *plan.target.endpoints]
        accounts_file = Path(plan.target.accounts)
        if not plan.target.accounts:
            accounts_file = folder / "accounts.csv"
            invent_accounts(accounts_file, users_of(plan))
        yield Running(tuple(resolved(parse_target(url)) for url in urls), accounts_file)
        return
    data_dir = folder / "server"
    options = plan.options()
    population = population_of(options)
    accounts_file = folder / "accounts.csv"
    count = population.users * plan.cohorts
    try:
        circles = population.circles(plan.cohorts) if plan.scenario == "chat" else ()
        users = make_accounts(data_dir, count, options.circle, circles=circles)
        accounts.tokens(data_dir, users, _TOKEN_TTL_S, accounts_file)
    except accounts.AccountsError as error:
        raise CannotRun(str(error)) from error
    carrier, host = plan.target.carrier, HERE if network is None else SERVER_ADDRESS
    authority = certificate(carrier, folder / "certificate")
    fills_disk = any(fault.name == FullDisk.name for fault in plan.faults)
    with volume_for(data_dir, wanted=fills_disk) as volume:
        process = ServerProcess(
            data_dir.resolve(),
            access_processes=plan.access_processes,
            pace_s=plan.server_pace_s,
            listen=addresses(carrier, plan.target.tcp_ports, host, free_ports=network is None),
            certificate=None if authority is None else authority.issue(host),
            within=[
                *([] if network is None else network.server.prefix()),
                *([] if isinstance(volume, str) else volume.prefix()),
            ],
            disturbances=True,
        )
        with embedded(process, random.Random(plan.seed), volume) as server:
            yield Running(endpoints(carrier, process, authority), accounts_file, server)


@contextmanager
def _started(plan: Plan, folder: Path) -> Iterator[Running]:
    """The server of that name, which is stopped at the end."""
    started = starting.Started(
        starting.find(plan.target.start), (folder / "server").resolve(), users_of(plan)
    )
    endpoint = _over(plan.target.carrier, plan.target.query, started)
    try:
        started.start()
        yield Running((endpoint,), started.accounts, StartedServer(started))
    finally:
        started.stop()


def _over(carrier: str, query: str, started: starting.Started) -> Endpoint:
    targets = [
        parse_target(f"{url}{'&' if '?' in url else '?'}{query}" if query else url) for url in started.urls
    ]
    found = [target for target in targets if target.carrier.name == carrier]
    if not found:
        names = ", ".join(target.carrier.name for target in targets)
        raise WrongUse(f"--carrier {carrier}: {started.name} is started with {names}")
    return found[0]


def users_of(plan: Plan) -> int:
    """How many accounts the run needs."""
    return population_of(plan.options()).users * plan.cohorts


def invent_accounts(path: Path, count: int) -> None:
    """Names and passwords that nobody else has, for a server that lets in whoever comes."""
    mark = secrets.token_hex(2)
    lines = [f"u{number}-{mark},{secrets.token_hex(8)}\n" for number in range(count)]
    path.write_text("".join(["user,password\n", *lines]))


def probe(plan: Plan, ways: tuple[Endpoint, ...], accounts_file: Path, index: Path) -> None:
    """There are enough accounts, and the first can log in; `index` spares the swarm from looking through the
    accounts. Raises WrongUse when not, AccountsError, OSError."""
    needed = users_of(plan)
    with AccountsFile(accounts_file) as known:
        if known.count < needed:
            raise WrongUse(
                f"{accounts_file} has {known.count:,} accounts, but {plan.connections:,} connections need "
                f"{needed:,}"
            )
        # As a device that there will be: a server keeps what comes for those that it has seen.
        identity = known.identity(0, population_of(plan.options()).device_name(0))
        known.save_index(index)
    options = plan.options()
    chats = plan.scenario == "chat"
    if chats and options.group_share and ways[0].dialect.enters_rooms:
        identity = msgspec.structs.replace(identity, rooms=(GROUP_PREFIX + identity.user,))
    url = ways[0].url
    with Device(ways, identity) as device:
        device.start()
        try:
            answer = device.await_event(
                Event,
                lambda event: isinstance(event, LoggedIn | Refused | ConnectFailed | Closed),
                timeout_s=_PROBE_S,
            )
        except Expected as error:
            raise WrongUse(f"target {url} does not answer a login within {_PROBE_S:.0f} s") from error
        if isinstance(answer, ConnectFailed):
            raise WrongUse(f"target {url}: {answer.reason}; is the server running?")
        if isinstance(answer, Refused):
            raise WrongUse(
                f"target {url} refused {identity.user}: {answer.code} {answer.text}; "
                f"are the accounts of {accounts_file} for this server?"
            )
        if isinstance(answer, Closed):
            raise WrongUse(
                f"target {url} closed the connection of {identity.user}: {answer.reason} {answer.detail}"
            )
        if isinstance(answer, LoggedIn) and chats:
            check_lacks(dict(answer.lacks), plan, url)


def check_lacks(lacks: Mapping[str, str], plan: Plan, url: str) -> None:
    """Raises WrongUse for a plan that asks for what the server has just said not to have: what nobody
    promises would stand in the report as lost."""
    options = plan.options()
    misses = bool(plan.faults or options.away_share)
    asks = {
        "own_devices": {"two_devices": options.two_devices},
        "catch_up": {"two_devices": options.two_devices * misses, "away_share": options.away_share},
        "groups": {"group_share": options.group_share},
        "group_catch_up": {"group_share": options.group_share * misses},
    }
    found = {name: [key for key, share in asks.get(name, {}).items() if share] for name in lacks}
    names = [name for name in lacks if found[name]]
    if names:
        keys = dict.fromkeys(key for name in names for key in found[name])
        raise WrongUse(
            f"target {url}: {'; '.join(lacks[name] for name in names)}. Leave that out: "
            + " ".join(f"--set {key}=0" for key in keys)
        )


def make_accounts(
    data_dir: Path, count: int, circle: int, *, circles: Iterable[range] | None = None, prefix: str = "u"
) -> list[str]:
    """`count` users, in circles of `circle` or only in the `circles` given: who shares one is a friend of the
    others, and a member of the group of the first. A circle of 0 is none.

    The order is that of the swarm's accounts file (scenarios.population).
    """
    users = accounts.generate(data_dir, count, prefix)
    if circles is None:
        circles = (range(at, min(at + circle, count)) for at in range(0, count, circle)) if circle else ()
    friends = [[users[number] for number in each] for each in circles]
    if friends:
        accounts.befriend_pairs(data_dir, (pair for each in friends for pair in combinations(each, 2)))
        accounts.groups_bulk(data_dir, ((each[0], each) for each in friends))
    return users

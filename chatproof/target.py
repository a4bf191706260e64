"""What a run is pointed at: the embedded reference server with accounts of its own, or somebody's server."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from chatproof.errors import CannotRun
from chatproof.plan import EMBEDDED, Plan
from drivers.endpoints import Endpoint, parse_target
from drivers.pumps.resolve import resolved
from refserver import accounts
from refserver.process import ServerFailed, ServerProcess
from scenarios.population import Population

_TOKEN_TTL_S = 7 * 86400.0


@dataclass(frozen=True, slots=True)
class Running:
    """A target that answers. `pids`: the server's processes when we started it."""

    endpoints: tuple[Endpoint, ...]
    accounts: Path
    pids: tuple[int, ...]


@contextmanager
def running_target(plan: Plan, folder: Path) -> Iterator[Running]:
    """The target for the length of the block; a server that was started is drained at the end.

    Raises CannotRun when it does not start, TargetError for a URL or name that cannot be used.
    """
    if plan.target.url != EMBEDDED:
        urls = [plan.target.url, *plan.target.endpoints]
        endpoints = tuple(resolved(parse_target(url)) for url in urls)
        yield Running(endpoints, Path(plan.target.accounts), ())
        return
    data_dir = folder / "server"
    options = plan.options()
    population = Population(options.cohort, options.circle, options.two_devices)
    accounts_file = folder / "accounts.csv"
    users = make_accounts(data_dir, population.users * plan.cohorts, options.circle, plan.scenario == "chat")
    accounts.tokens(data_dir, users, _TOKEN_TTL_S, accounts_file)
    server = ServerProcess(
        data_dir, tcp_ports=plan.target.tcp_ports, access_processes=plan.target.access_processes
    )
    try:
        server.start()
    except ServerFailed as error:
        raise CannotRun(str(error)) from error
    try:
        targets = tuple(parse_target(f"chat+{url}") for url in server.tcp_urls)
        yield Running(targets, accounts_file, tuple(server.pids))
    finally:
        server.stop()


def make_accounts(
    data_dir: Path, count: int, circle: int, friends: bool = True, prefix: str = "u"
) -> list[str]:
    """`count` users in circles of `circle`: friends of each other, and members of the group of the first.

    The order is that of the swarm's accounts file (scenarios.population).
    """
    users = accounts.generate(data_dir, count, prefix)
    if friends:
        circles = [users[at : at + circle] for at in range(0, count, circle)]
        accounts.befriend_pairs(data_dir, (pair for one in circles for pair in combinations(one, 2)))
        accounts.groups_bulk(data_dir, ((one[0], one) for one in circles))
    return users

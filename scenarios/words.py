"""What the master and the workers say to each other, in Locust's custom messages.

claim    worker → master   a new user asks which cohort it is         number → worker
begin    master → workers  start chatting (only with --on-command)
cut      master → workers  reset a share of the connections
move     master → workers  everybody is in another network
resolve  master → workers  the resolver does what it should not, or does again what it should
settle   master → workers  settle all cohorts                          settled → master
closed   worker → master   ledger and samples of the process are complete
broken   worker → master   the run cannot go on: why

With a swarm on other machines also:

join     machine → master  wants to take part, and what it is          terms → machine
accounts machine → master  a piece of the accounts file, from where     accounts → machine
unfit    machine → master  it cannot hold its share: why
here     worker → master   which process of which machine has come
ask      master → worker   its time, its files, a piece of one          answer → master
"""

from locust.env import Environment
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

from drivers.accounts import AccountsError
from drivers.endpoints import TargetError
from ledger.errors import LedgerError
from scenarios.capabilities import within
from scenarios.options import SwarmOptions
from scenarios.population import PopulationError

PREFIX = "chatproof:"
THROUGH = "through"
"""Among Locust's parsed options, which workers get with each spawn message: addresses of proxies."""
WRONG_USE = (TargetError, AccountsError, PopulationError, LedgerError)
"""What a user can mend, each a line that says what is wrong, where, and what to do."""


def runner_of(environment: Environment) -> LocalRunner | MasterRunner | WorkerRunner:
    """The Locust runner of this process."""
    runner = environment.runner
    if not isinstance(runner, LocalRunner | MasterRunner | WorkerRunner):
        raise TypeError(f"a scenario needs a Locust runner, not {runner!r}")
    return runner


def access_points_of(environment: Environment) -> tuple[str, ...]:
    """Where the swarm connects: at the proxies that the run has put before the target, if it has."""
    through: str = getattr(environment.parsed_options, THROUGH, "")
    if through:
        return tuple(through.split())
    return (environment.host or "", *options_of(environment).endpoints.split())


def options_of(environment: Environment) -> SwarmOptions:
    """The scenario's options as the command line, the web form or the plan set them, without what the target
    does not offer."""
    if environment.parsed_options is None:
        return SwarmOptions()
    return within(SwarmOptions.from_namespace(environment.parsed_options), environment.host or "")

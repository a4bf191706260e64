"""What all cohorts of a process share."""

from dataclasses import dataclass

from gevent.lock import RLock

from drivers.accounts import AccountsFile
from drivers.client import Surroundings
from drivers.contract import Identity
from drivers.pumps.epoll import EpollPump
from reactor.alarms import Alarms
from scenarios.letters import Stationery
from scenarios.options import SwarmOptions
from scenarios.population import Population
from scenarios.recorder import Recorder


class PopulationRoster:
    """Identities of devices by number: the account of the device's user, and which of its devices it is."""

    def __init__(self, population: Population, accounts: AccountsFile) -> None:
        self._population = population
        self._accounts = accounts

    def identity(self, index: int) -> Identity:
        """Raises AccountsError when the accounts file has too few accounts."""
        population = self._population
        return self._accounts.identity(population.user_of(index), population.device_name(index))

    def user(self, number: int) -> str:
        """Id of user `number`."""
        return self._accounts.identity(number, "").user


@dataclass(frozen=True, slots=True)
class Stage:
    """`run`: four bytes that tell this run's messages from those of others; `turn`: held by the cohort that
    makes many connections busy at once."""

    options: SwarmOptions
    run: bytes
    population: Population
    roster: PopulationRoster
    surroundings: Surroundings
    pump: EpollPump
    recorder: Recorder
    stationery: Stationery
    alarms: Alarms
    turn: RLock

"""What all cohorts of a process share."""

from dataclasses import dataclass

from gevent.lock import RLock
from msgspec.structs import replace

from drivers.accounts import AccountsFile
from drivers.client import Surroundings
from drivers.contract import Identity
from drivers.pumps.epoll import EpollPump
from protocol.names import GROUP_PREFIX
from reactor.alarms import Alarms
from scenarios.letters import Stationery
from scenarios.options import SwarmOptions
from scenarios.population import Population
from scenarios.recorder import Recorder


class PopulationRoster:
    """Identities of devices by number: the account of the device's user, and which of its devices it is.

    `enters_rooms`: they come with the group of their circle, see `Dialect.enters_rooms`.
    """

    def __init__(self, population: Population, accounts: AccountsFile, *, enters_rooms: bool = False) -> None:
        self._population = population
        self._accounts = accounts
        self._enters_rooms = enters_rooms

    def identity(self, index: int) -> Identity:
        """Raises AccountsError when the accounts file has too few accounts."""
        population = self._population
        user = population.user_of(index)
        identity = self._accounts.identity(user, population.device_name(index))
        if not self._enters_rooms:
            return identity
        return replace(identity, rooms=(GROUP_PREFIX + self.user(population.circle_of(user).start),))

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

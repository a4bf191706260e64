"""Who talks: one circle of friends with a group, several devices each, numbered as in the ledger."""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from drivers.accounts import AccountsFile
from drivers.contract import Identity
from protocol.names import GROUP_PREFIX
from refserver import accounts
from scenarios.population import Population

_TOKEN_TTL_S = 86400.0


class People:
    """Devices 0 to `devices` − 1: first of each user one, then of each the next."""

    def __init__(self, tokens: Path, *, users: int = 6, devices_each: int = 3) -> None:
        self.users = users
        self.devices = users * devices_each
        self._file = AccountsFile(tokens)
        self.names = [self._file.identity(user, "").user for user in range(users)]
        population = Population(users, users, 0.0)
        self.conversations = population.conversation_names(self.names)
        self.numbers = {name: number for number, name in enumerate(self.conversations)}
        members = population.conversation_members(range(users))
        self.parties = {
            name: [self.names[user] for user in those]
            for name, those in zip(self.conversations, members, strict=True)
        }
        self.group = GROUP_PREFIX + self.names[0]

    def identity(self, device: int) -> Identity:
        """As which a device logs in."""
        turn, user = divmod(device, self.users)
        return self._file.identity(user, f"d{turn}")

    def identity_of(self, user: str, device: str) -> Identity:
        """As which a device that is not numbered logs in."""
        return self._file.identity(self.names.index(user), device)

    def user_of(self, device: int) -> str:
        return self.names[device % self.users]

    def tables(
        self,
    ) -> tuple[
        Iterator[tuple[int, int, str, str]],
        Iterator[tuple[int, str]],
        Iterator[tuple[int, int]],
    ]:
        """Devices, conversations and members, as a run folder has them."""
        identities = ((number, self.identity(number)) for number in range(self.devices))
        return (
            ((number, number % self.users, it.user, it.device) for number, it in identities),
            enumerate(self.conversations),
            (
                (self.numbers[name], self.names.index(user))
                for name, users in self.parties.items()
                for user in users
            ),
        )

    def close(self) -> None:
        self._file.close()


def make_people(data_dir: Path, tokens: Path, *, users: int = 6) -> People:
    """Their accounts exist on the server whose data directory that is. Raises AccountsError."""
    names = accounts.generate(data_dir, users, "crash")
    accounts.befriend_pairs(data_dir, combinations(names, 2))
    accounts.groups_bulk(data_dir, [(names[0], names)])
    accounts.tokens(data_dir, names, _TOKEN_TTL_S, tokens)
    return People(tokens, users=users)

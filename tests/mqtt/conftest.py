"""A mosquitto for the tests of this folder, and devices that talk to it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chatproof import starting
from drivers.accounts import AccountsFile
from drivers.contract import Identity


class Broker:
    """A running mosquitto. `accounts` are taken in turn."""

    def __init__(self, started: starting.Started) -> None:
        self.started = started
        self._accounts = AccountsFile(started.accounts)
        self._next = 0

    def identity(self, device: str = "d0", rooms: tuple[str, ...] = ()) -> Identity:
        """Of a user that nobody had yet."""
        known = self._accounts.identity(self._next, device)
        self._next += 1
        return Identity(known.user, device, known.secret, rooms)

    def url(self, carrier: str = "tcp", query: str = "") -> str:
        scheme = {"tcp": "mqtt:", "ws": "mqtt+ws:", "tls": "mqtt+tls:"}[carrier]
        url = next(url for url in self.started.urls if url.startswith(scheme))
        return f"{url}{'&' if '?' in url else '?'}{query}"


@pytest.fixture(scope="session")
def broker_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[starting.Started]:
    started = starting.start("mosquitto", tmp_path_factory.mktemp("mosquitto") / "broker", 60)
    yield started
    started.stop()


@pytest.fixture
def broker(requires: Callable[[str], str], request: pytest.FixtureRequest) -> Broker:
    """Shared by all tests, with users of its own for each."""
    requires("mosquitto")
    started: starting.Started = request.getfixturevalue("broker_of_all")
    return _brokers.setdefault(started.folder, Broker(started))


_brokers: dict[Path, Broker] = {}

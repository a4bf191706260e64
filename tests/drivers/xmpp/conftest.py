"""A prosody for the tests of this folder."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chatproof import starting
from drivers.accounts import AccountsFile
from drivers.contract import Identity
from drivers.endpoints import Endpoint, parse_target

USERS = 60


class Prosody:
    """One that runs. Each user is given out once."""

    def __init__(self, started: starting.Started) -> None:
        self.started = started
        self._accounts = AccountsFile(started.accounts)
        self._next = 0

    def identity(self, device: str = "d0", rooms: tuple[str, ...] = ()) -> Identity:
        """Of a user that nobody had yet."""
        known = self._accounts.identity(self._next, device)
        self._next += 1
        return Identity(known.user, device, known.secret, rooms)

    def target(self, carrier: str = "tcp", query: str = "") -> Endpoint:
        """tcp, ws, tls or starttls."""
        scheme = {"tcp": "xmpp:", "starttls": "xmpp:", "ws": "xmpp+ws:", "tls": "xmpps:"}[carrier]
        url = next(url for url in self.started.urls if url.startswith(scheme))
        if carrier == "starttls":
            secure = next(url for url in self.started.urls if url.startswith("xmpps:"))
            url = url.replace("xmpp:", "xmpp+starttls:") + "?" + secure.partition("?")[2] + "&name=localhost"
        return parse_target(f"{url}{'&' if '?' in url else '?'}{query}" if query else url)


@pytest.fixture(scope="session")
def prosody_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prosody]:
    started = starting.start("prosody", tmp_path_factory.mktemp("prosody") / "server", USERS)
    yield Prosody(started)
    started.stop()


@pytest.fixture
def prosody(requires: Callable[[str], str], request: pytest.FixtureRequest) -> Prosody:
    """Shared by all tests, with users of its own for each."""
    requires("prosody")
    found: Prosody = request.getfixturevalue("prosody_of_all")
    return found


@pytest.fixture
def prosody_alone(requires: Callable[[str], str], tmp_path: Path) -> Iterator[Prosody]:
    """For a test that kills it."""
    requires("prosody")
    started = starting.start("prosody", tmp_path / "server", 6)
    yield Prosody(started)
    started.stop()

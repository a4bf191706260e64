"""A prosody for the tests of this folder."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chatproof import starting
from drivers.endpoints import Endpoint, parse_target
from tests.foreign_server import ForeignServer

USERS = 60


class Prosody(ForeignServer):
    """One that runs."""

    def target(self, carrier: str = "tcp", query: str = "") -> Endpoint:
        """tcp, ws, tls or starttls."""
        if carrier == "starttls":
            trust = self.url("xmpps").partition("?")[2] + "&name=localhost"
            url = self.url("xmpp", "&".join(filter(None, (trust, query))))
            return parse_target(url.replace("xmpp:", "xmpp+starttls:"))
        return parse_target(self.url({"tcp": "xmpp", "ws": "xmpp+ws", "tls": "xmpps"}[carrier], query))


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

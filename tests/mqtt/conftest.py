"""A mosquitto for the tests of this folder, and devices that talk to it."""

from collections.abc import Callable, Iterator

import pytest

from chatproof import starting
from tests.foreign_server import ForeignServer


class Broker(ForeignServer):
    """A running mosquitto."""

    def target(self, carrier: str = "tcp", query: str = "") -> str:
        """The URL for tcp, ws or tls."""
        return self.url({"tcp": "mqtt", "ws": "mqtt+ws", "tls": "mqtt+tls"}[carrier], query)


@pytest.fixture(scope="session")
def broker_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    started = starting.start("mosquitto", tmp_path_factory.mktemp("mosquitto") / "broker", 60)
    yield Broker(started)
    started.stop()


@pytest.fixture
def broker(requires: Callable[[str], str], request: pytest.FixtureRequest) -> Broker:
    """Shared by all tests, with users of its own for each."""
    requires("mosquitto")
    found: Broker = request.getfixturevalue("broker_of_all")
    return found

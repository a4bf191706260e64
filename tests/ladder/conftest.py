"""Networks made of sockets: ports that refuse, swallow or serve everything, on addresses of their own."""

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import gevent
import gevent.pywsgi
import gevent.server
import pytest

from conformance.paths import BlackHole
from drivers.contract import Identity
from drivers.endpoints import Endpoint, parse_target
from drivers.policy import Policy
from drivers.pumps.blocking import Device
from refserver.accounts.adding import generate
from refserver.accounts.issuing import tokens
from refserver.process import ServerProcess

ONE = "127.0.0.1"
PATIENCE_S = 60.0
QUICK = {"next_endpoint_s": 0.05, "reconnect_base_s": 0.3, "reconnect_cap_s": 1.0}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Everything on four ports; shared by all tests, each with accounts of its own."""
    data: Path = tmp_path_factory.mktemp("ladder")
    generate(data, 400)
    tokens(data, None, 3600.0, data / "tokens.csv")
    with ServerProcess(
        data, friends_only=False, listen=[f"any://{ONE}:0"] * 4, resolve=["chat.example=127.0.0.1"]
    ) as process:
        yield process


@pytest.fixture(scope="session")
def ports(server: ServerProcess) -> tuple[int, ...]:
    return tuple(int(url.rpartition(":")[2]) for url in server.urls["any"])


@pytest.fixture(scope="session")
def black_holes() -> Iterator[tuple[int, ...]]:
    """Four ports that swallow everything."""
    with ExitStack() as stack:
        yield tuple(stack.enter_context(BlackHole()).port for _ in range(4))


@pytest.fixture
def refused(reserved_port: Callable[[], int]) -> tuple[int, ...]:
    """Five ports where nobody listens."""
    return tuple(reserved_port() for _ in range(5))


@pytest.fixture(scope="session")
def identities(server: ServerProcess) -> Callable[[int], list[Identity]]:
    lines = (server.data_dir / "tokens.csv").read_text().split()[1:]
    turn = itertools.count()

    def take(count: int) -> list[Identity]:
        rows = [lines[next(turn) % len(lines)].split(",") for _ in range(count)]
        return [Identity(user, "phone", token) for user, token in rows]

    return take


@pytest.fixture
def device(identities: Callable[[int], list[Identity]]) -> Iterator[Callable[..., Device]]:
    """`device(url)`: a client that finds its way by a scheduler, not started yet."""
    made: list[Device] = []

    def make(*urls: str, **policy: float) -> Device:
        targets: tuple[Endpoint, ...] = tuple(parse_target(url) for url in urls)
        made.append(Device(targets, identities(1)[0], policy=Policy(**{**QUICK, **policy})))
        return made[-1]

    yield make
    for one in made:
        one.close()


PAGE = b"<!DOCTYPE html><html><body><form>Welcome! Please log in.</form></body></html>"


@pytest.fixture
def portal() -> Iterator[int]:
    """A captive portal: whatever is said to it is answered with a page, 200."""

    def answer(connection: gevent.socket.socket, _: object) -> None:
        connection.settimeout(PATIENCE_S)
        try:
            while connection.recv(65536):
                head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(PAGE)}\r\n\r\n"
                connection.sendall(head.encode() + PAGE)
        except OSError:
            return

    portal = gevent.server.StreamServer((ONE, 0), answer)
    portal.start()
    yield portal.server_port
    portal.stop()


class Scheduler:
    """A scheduler that says what a test wants, and counts how often it is asked."""

    def __init__(self) -> None:
        self.points: list[tuple[str, float]] = []
        self.asked = 0
        self._server = gevent.server.StreamServer((ONE, 0), self._answer)
        self._server.start()
        self.port: int = self._server.server_port

    def _answer(self, connection: gevent.socket.socket, _: object) -> None:
        connection.settimeout(PATIENCE_S)
        try:
            heard = b""
            while b"\r\n\r\n" not in heard:
                more = connection.recv(65536)
                if not more:
                    return
                heard += more
            self.asked += 1
            told = {"endpoints": [{"url": url, "load": load} for url, load in self.points]}
            body = json.dumps(told).encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)
        except OSError:
            return

    def names(self, ports: Sequence[int], scheme: str = "tcp") -> str:
        """It names these ports from now on; a URL of it."""
        self.points = [(f"{scheme}://{ONE}:{port}", 0) for port in ports]
        return f"chat+scheduler://{ONE}:{self.port}?ports={','.join(map(str, ports))}"

    def close(self) -> None:
        self._server.stop()


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    one = Scheduler()
    yield one
    one.close()

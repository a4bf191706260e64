"""A server with a WebSocket listener, a browser on a page that speaks the protocol, users for each test."""

import functools
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from conformance.accounts import Block, User, load
from drivers.endpoints import parse_target
from drivers.pumps.wire import Wire
from protocol.messages import LoggedIn, Login
from refserver.accounts import testbed
from refserver.process import ServerProcess

sys.path.insert(0, str(Path(__file__).parent))

from chromium import Chromium

_BLOCKS = 12


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing: pytest's output is for the tests."""


@dataclass(frozen=True, slots=True)
class Served:
    process: ServerProcess
    blocks: Iterator[Block]


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("browser")
    testbed(folder / "data", _BLOCKS, folder / "accounts.json", 3600.0)
    with ServerProcess(folder / "data", http=False, carriers=("ws",)) as process:
        yield Served(process, iter(load(folder / "accounts.json")))


@pytest.fixture(scope="session")
def websocket_url(served: Served) -> str:
    return served.process.urls["ws"][0] + "/v1/ws"


@pytest.fixture(scope="session")
def page_url() -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=Path(__file__).parent)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as pages:
        serving = threading.Thread(target=pages.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{pages.server_address[1]}/page.html"
        pages.shutdown()
        serving.join()


@pytest.fixture(scope="session")
def browser(page_url: str) -> Iterator[Chromium]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("needs the program chromium, which is not on PATH")
    with Chromium(program, page_url) as chromium:
        yield chromium


@pytest.fixture
def pair(served: Served) -> tuple[User, User]:
    """Two friends whom no other test has."""
    one, other = next(served.blocks).pick(2)
    return one, other


@pytest.fixture
def tcp(served: Served) -> Iterator[Callable[[User], Wire]]:
    """`tcp(user)`: a logged-in Python client of that user."""
    wires: list[Wire] = []

    def log_in(user: User) -> Wire:
        wires.append(Wire(parse_target(f"chat+{served.process.tcp_urls[0]}")))
        wires[-1].send(Login(user.token, "python"))
        wires[-1].expect(LoggedIn)
        return wires[-1]

    yield log_in
    for wire in wires:
        wire.close()

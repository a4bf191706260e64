"""The four ports themselves, in a network of our own: dropped, refused, and behind a proxy for HTTP alone."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import combinations
from pathlib import Path

import pytest

from chaos.errors import PacketsError
from chaos.packets.network import SERVER_ADDRESS, VETH, Network
from drivers.ladder.origin import PORTS
from refserver.accounts.adding import generate
from refserver.accounts.issuing import tokens
from refserver.process import ServerProcess

PROXY_PORT = 3128
HERE = Path(__file__).parent


class Sides:
    """A server on the four ports at one side, a client at the other, and what is between."""

    def __init__(self, network: Network, folder: Path, stack: ExitStack) -> None:
        self.network = network
        self.folder = folder
        generate(folder, 4)
        tokens(folder, None, 3600.0, folder / "tokens.csv")
        self._rows = [line.split(",") for line in (folder / "tokens.csv").read_text().split()[1:]]
        self.server = ServerProcess(
            folder,
            friends_only=False,
            listen=[f"any://{SERVER_ADDRESS}:{port}" for port in PORTS],
            within=network.server.prefix(),
        )
        stack.enter_context(self.server)
        self._client = subprocess.Popen(
            [*network.client.prefix(), sys.executable, str(HERE / "network_client.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(HERE.parent.parent)},
        )  # fmt: skip
        stack.callback(self._end)

    def _end(self) -> None:
        assert self._client.stdin is not None
        assert self._client.stdout is not None
        self._client.stdin.close()
        self._client.wait(60)
        self._client.stdout.close()

    def try_to_log_in(self, *, is_blocked: bool = False, **options: str) -> dict:
        """What came of it; where nothing is expected to get through, once that is known."""
        assert self._client.stdin is not None
        assert self._client.stdout is not None
        query = "&".join(f"{name}={value}" for name, value in options.items())
        url = f"chat+scheduler://{SERVER_ADDRESS}:{PORTS[3]}?{query}"
        (user, token), (to, _) = self._rows[:2]
        asked = {"url": url, "user": user, "token": token, "is_blocked": is_blocked, "to": to}
        self._client.stdin.write(json.dumps(asked) + "\n")
        self._client.stdin.flush()
        answer: dict = json.loads(self._client.stdout.readline())
        return answer


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sides]:
    with ExitStack() as stack:
        try:
            network = stack.enter_context(Network(VETH))
        except PacketsError as error:
            pytest.skip(f"needs a network of its own: {error}")
        yield Sides(network, tmp_path_factory.mktemp("sides"), stack)


SUBSETS = [blocked for size in (1, 2, 3, 4) for blocked in combinations(PORTS, size)]


@pytest.mark.parametrize("how", ["drop", "reset", "port-unreachable"])
@pytest.mark.parametrize("blocked", SUBSETS, ids=lambda blocked: "-".join(map(str, blocked)))
def test_whoever_can_reach_one_port_is_logged_in_within_10_s(
    sides: Sides, blocked: tuple[int, ...], how: str
) -> None:
    trouble = sides.network.block(blocked, how)
    try:
        left = set(PORTS) - set(blocked)
        answer = sides.try_to_log_in(is_blocked=not left)
    finally:
        sides.network.heal(trouble)
    if left:
        assert answer["heard"], answer
        assert int(answer["via"].rpartition(":")[2]) in left
        assert answer["took_s"] < 10.0
    else:
        assert answer["via"] == ""
        assert answer["trouble"].startswith("no way in: "), answer


@pytest.fixture
def proxy(sides: Sides, requires: Callable[[str], str], tmp_path: Path) -> Iterator[str]:
    """A proxy on the server's side for plain HTTP only, without CONNECT; what it says of itself is logged."""
    settings = tmp_path / "tinyproxy.conf"
    log = tmp_path / "tinyproxy.log"
    settings.write_text(
        f'Port {PROXY_PORT}\nListen {SERVER_ADDRESS}\nTimeout 60\nConnectPort 0\nLogFile "{log}"\n'
        f'LogLevel Info\nPidFile "{tmp_path / "pid"}"\n'
    )
    words = [*sides.network.server.prefix(), requires("tinyproxy"), "-d", "-c", str(settings)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while "Accepting connections" not in (log.read_text() if log.exists() else ""):
        assert time.monotonic() < until, "tinyproxy does not listen"
        assert process.poll() is None, "tinyproxy has ended"
        time.sleep(0.01)
    yield f"{SERVER_ADDRESS}:{PROXY_PORT}"
    process.send_signal(signal.SIGTERM)
    process.wait(60)


@pytest.mark.parametrize("how", ["drop", "reset"])
def test_behind_a_proxy_for_http_alone_the_tunnel_goes_through_it(sides: Sides, proxy: str, how: str) -> None:
    trouble = sides.network.block(PORTS, how)
    try:
        answer = sides.try_to_log_in(proxy=proxy)
    finally:
        sides.network.heal(trouble)
    assert answer["heard"], answer
    assert answer["via"].startswith("longpoll:")
    assert answer["via"].endswith(" through a proxy")

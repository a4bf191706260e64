"""The reference server with as many accounts as there will be connections."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from bench.peer import Served
from drivers.accounts import AccountsFile
from protocol.frames import EMPTY_PING, encode
from protocol.messages import Login
from refserver import accounts
from refserver.process import ServerProcess

_TOKENS_S = 3600.0


@contextmanager
def reference_server(
    folder: Path, connections: int, access_processes: int, measured: Callable[[list[int]], list[int]]
) -> Iterator[Served]:
    """It runs; `measured` picks from its processes, the first of which stores."""
    data, file = folder / "server", folder / "accounts.csv"
    accounts.tokens(data, accounts.generate(data, connections, "u"), _TOKENS_S, file)
    with ServerProcess(data, http=False, access_processes=access_processes) as server:
        port = urlsplit(server.tcp_urls[0]).port
        assert port is not None
        with AccountsFile(file) as known:
            greetings = [_login(known.identity(number, "d0").secret) for number in range(connections)]
        yield Served(tuple(measured(server.pids)), port, EMPTY_PING.hex(), greetings)


def _login(token: str) -> str:
    return encode(Login(token, "d0", "bench")).hex()

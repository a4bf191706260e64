"""The server under test: somebody's own, by URL, or the reference server, started for the occasion.

Nothing is started or connected before a case asks for it, so that listing cases needs no server.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conformance.accounts import HOW_TO_MAKE, AccountsError, Block, User, load
from drivers.contract import Dialect
from drivers.endpoints import Endpoint, TargetError, parse_target
from drivers.pumps.wire import Expected, Wire
from protocol.errors import RemoteProtocolError
from protocol.messages import Error, LoggedIn, Login

if TYPE_CHECKING:
    from refserver.process import ServerProcess

target_key = pytest.StashKey["Target"]()
seed_key = pytest.StashKey[int]()

_TOKEN_TTL_S = 24 * 3600.0
_OVER_HTTP = frozenset({"http_send", "short_poll", "long_poll", "accounts"})
_SPARE_BLOCKS = 8
"""Beyond one a case: a few observations that several cases share have blocks of their own."""


class TargetUnusable(Exception):
    """The target or its accounts cannot be used; one line that says which, why, and what to do."""


class Target:
    """`urls` with `accounts`, or nothing of both for the reference server. Raises TargetUnusable at once
    for what is wrong without a connection. `without`: capabilities that the target is known to lack; `http`:
    where it takes short requests."""

    def __init__(
        self,
        urls: Sequence[str],
        accounts: Path | None,
        without: Sequence[str] = (),
        http: str | None = None,
    ) -> None:
        self.cases_planned = 0
        self._http = http
        self._without = frozenset(without)
        self._stack = ExitStack()
        self.server: ServerProcess | None = None
        try:
            self._given = tuple(parse_target(url) for url in urls)
            blocks = load(accounts) if accounts is not None else []
        except (TargetError, AccountsError) as error:
            raise TargetUnusable(str(error)) from error
        if urls and accounts is None:
            raise TargetUnusable(f"--target needs --accounts FILE; {HOW_TO_MAKE}")
        if http is not None and not urls:
            raise TargetUnusable("--http needs --target URL: the reference server has its own")
        if http is not None and not http.startswith("http://"):
            raise TargetUnusable(f"--http {http!r}: write http://HOST:PORT")
        if accounts is not None and not urls:
            raise TargetUnusable("--accounts needs --target URL: the reference server has its own")
        self.name = " ".join(urls) or "reference server"
        self._all_blocks = blocks
        self._blocks: Iterator[Block] | None = iter(blocks) if urls else None
        self._first_block = blocks[0] if blocks else None

    @property
    def is_ours(self) -> bool:
        """True when the suite started the server and so may kill and restart it."""
        return not self._given

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where to connect; starts the reference server if it is the target and does not run yet."""
        if self._given:
            return self._given
        return tuple(parse_target(f"chat+{url}") for url in self.running_server().tcp_urls)

    @property
    def http_url(self) -> str | None:
        """Where short requests go; None when there is no such place. Starts the server like `endpoints`."""
        return self._http if self._given else self.running_server().http_url

    def accounts_with_password(self) -> list[User]:
        """Those whose password the suite knows, of all blocks, whether a case has them or not."""
        if not self._given:
            self.running_server()
        return [user for block in self._all_blocks for user in block.users if user.password is not None]

    def lacks(self, capability: str) -> str | None:
        """Why a capability of the catalogue is not there; None when it is."""
        if capability in self._without:
            return f"the target does not offer {capability} (--without {capability})"
        if capability in _OVER_HTTP:
            missing = self._given and self._http is None
            return f"{capability} is over HTTP, and no --http URL was given" if missing else None
        dialects = {endpoint.dialect for endpoint in self._given} or {_reference_dialect()}
        for dialect in dialects:
            if capability not in dialect.offers:
                return f"{dialect.name} over a long connection does not offer {capability}"
        return None

    def next_block(self) -> Block:
        """Ten users whom no case has had yet. Raises TargetUnusable when there are no more."""
        if self._blocks is None:
            self.running_server()
        assert self._blocks is not None
        block = next(self._blocks, None)
        if block is None:
            raise TargetUnusable(
                f"the accounts file has too few blocks for {self.cases_planned} cases; {HOW_TO_MAKE}"
            )
        return block

    def probe(self) -> None:
        """Connect and log in as the first account. Raises TargetUnusable with what stands in the way."""
        if self._first_block is None:
            return
        account = self._first_block.users[0]
        for endpoint in self.endpoints:
            where = f"target {endpoint.url}"
            try:
                with Wire(endpoint, timeout_s=5.0) as wire:
                    wire.send(Login(account.token, "probe"))
                    answer = wire.next(5.0)
            except OSError as error:
                raise TargetUnusable(f"{where}: cannot connect: {error.strerror or error}") from error
            except (Expected, RemoteProtocolError) as error:
                raise TargetUnusable(f"{where}: no answer to LOGIN that can be read: {error}") from error
            if isinstance(answer, Error):
                raise TargetUnusable(
                    f"{where}: login of {account.user} refused: {answer.code} {answer.text}; "
                    "are these accounts of this server, and are their tokens still valid?"
                )
            if not isinstance(answer, LoggedIn):
                raise TargetUnusable(f"{where}: LOGIN was answered with {answer!r}")
            if answer.version:
                raise TargetUnusable(
                    f"{where}: {account.user} has messages already, and each run needs new accounts; "
                    f"{HOW_TO_MAKE}"
                )

    def close(self) -> None:
        """Stop what was started."""
        self._stack.close()

    def running_server(self) -> "ServerProcess":
        """The reference server, started now if it was not yet; only when `is_ours`."""
        if self.server is not None:
            return self.server
        from refserver.accounts import testbed
        from refserver.process import ServerProcess

        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="chatproof-")))
        accounts = folder / "accounts.json"
        testbed(folder / "data", self.cases_planned + _SPARE_BLOCKS, accounts, _TOKEN_TTL_S)
        self._all_blocks = load(accounts)
        self._blocks = iter(self._all_blocks)
        server = ServerProcess(folder / "data", tcp_ports=1, http=True, access_processes=0)
        self._stack.callback(server.stop)
        server.start()
        self.server = server
        return server


def _reference_dialect() -> Dialect:
    return parse_target("chat+tcp://127.0.0.1").dialect

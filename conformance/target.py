"""The server under test: somebody's own, by URL, or the reference server, started for the occasion.

Nothing is started or connected before a case asks for it, so that listing cases needs no server.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import gevent
import pytest
from gevent.queue import Queue

from conformance import carriers, reference
from conformance.accounts import HOW_TO_MAKE, AccountsError, Block, User, load
from conformance.carriers import UnknownCarrier
from conformance.circles import load_any, made_up
from conformance.promises import PromisesError, promises_of
from conformance.reference import Reference
from conformance.started import OfTheReference, StartedServer
from conformance.weather import TRIES, Weather, column
from drivers.contract import Dialect, Identity
from drivers.endpoints import Endpoint, TargetError, parse_target
from drivers.events import Closed, ConnectFailed, Event, LoggedIn, Refused
from drivers.pumps.blocking import Device
from drivers.pumps.wire import Expected, Wire
from protocol.errors import RemoteProtocolError
from protocol.messages import Error, Login
from protocol.messages import LoggedIn as LoggedInMessage

if TYPE_CHECKING:
    from refserver.process import ServerProcess

target_key = pytest.StashKey["Target"]()
seed_key = pytest.StashKey[int]()

OWN = "chat"
"""The dialect of the chat protocol, whose words most cases use."""
_MADE_UP_BLOCKS = 100
_PROBE_S = 10.0
_OVER_HTTP = frozenset({"http_send", "short_poll", "long_poll", "accounts", "http_tunnel"})
_BY_LADDER = frozenset({"ports", "discovery"})
_OVER_TLS = ("tls", "wss")
TAKEN_FOR_GRANTED = frozenset(
    {"groups", "group_catch_up", "own_devices", "catch_up", "redelivery", "resumption"}
)
"""What a server has unless it says at a login that it has not (events.LoggedIn)."""
_SPARE_BLOCKS = 8
"""Beyond one a case: a few observations that several cases share have blocks of their own."""


def new_seed() -> int:
    """For dice that nobody has rolled before."""
    return random.SystemRandom().randrange(1 << 32)


class TargetUnusable(Exception):
    """The target or its accounts cannot be used; one line that says which, why, and what to do."""


class Target:
    """`urls` with `accounts`, or nothing of both for the reference server. Raises TargetUnusable at once
    for what is wrong without a connection.

    `without`: capabilities that the target is known to lack, each as NAME or NAME=WHY. `http`: where it takes
    short requests, at most one http:// and one https://. `wanted`: the carriers that the suite runs over, all
    runs together; `carrier`: the one of this run, the first if it is not said.
    """

    def __init__(
        self,
        urls: Sequence[str] = (),
        accounts: Path | None = None,
        without: Sequence[str] = (),
        http: Sequence[str] = (),
        *,
        wanted: Sequence[str] = (),
        carrier: str | None = None,
    ) -> None:
        self.cases_planned = 0
        self.started: StartedServer | None = None
        self.weather: Weather | None = None
        self._without = {name: why for name, _, why in (each.partition("=") for each in without)}
        self._stack = ExitStack()
        self._reference: Reference | None = None
        try:
            self._given = tuple(parse_target(url) for url in urls)
            self.dialect = _only_dialect(self._given)
            self.promises = promises_of(self.dialect)
            blocks = self._blocks_of(accounts)
            named = [endpoint.carrier.name for endpoint in self._given]
            self.chosen = carriers.chosen(wanted, named)
        except (TargetError, AccountsError, UnknownCarrier, PromisesError) as error:
            raise TargetUnusable(str(error)) from error
        if urls and not blocks:
            raise TargetUnusable(f"--target needs --accounts FILE; {HOW_TO_MAKE}")
        if accounts is not None and not urls:
            raise TargetUnusable("--accounts needs --target URL: the reference server has its own")
        if carrier not in (None, *self.chosen):
            raise TargetUnusable(f"carrier {carrier}: it is not among {', '.join(self.chosen)}")
        self.carrier = carrier or self.chosen[0]
        self._http = _by_scheme(http, bool(urls))
        self.name = " ".join(urls) or "reference server"
        self._known_blocks: Sequence[Block] = blocks
        self._blocks: Iterator[Block] | None = iter(self._share(blocks)) if urls else None
        # Where cases count on nothing but their own messages, a block may be had by one after the other.
        self._lent = None if self.speaks_chat else Queue(items=self._share(blocks))

    def _blocks_of(self, accounts: Path | None) -> Sequence[Block]:
        if accounts is not None:
            return load(accounts) if self.speaks_chat else load_any(accounts)
        return [] if self.dialect.needs_accounts else made_up(_MADE_UP_BLOCKS)

    @property
    def speaks_chat(self) -> bool:
        """Whether it is a server of our own protocol, whose frames cases may speak by themselves."""
        return self.dialect.name == OWN

    @property
    def is_ours(self) -> bool:
        """True when the suite started the reference server and so may kill and restart it."""
        return not self._given

    def server_to_restart(self) -> "StartedServer | None":
        """The server that runs now and that the suite may kill and start again; None for somebody's own."""
        return OfTheReference(self._running().server) if self.is_ours else self.started

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where to connect over the carrier of this run; starts the reference server if it is the target and
        does not run yet, as all that follow do."""
        return self.endpoints_of(self.carrier)

    def endpoints_of(self, carrier: str) -> tuple[Endpoint, ...]:
        """Where to connect over some carrier; empty when the target does not offer it."""
        if self._given:
            return tuple(endpoint for endpoint in self._given if endpoint.carrier.name == carrier)
        return self._running().endpoints.get(carrier, ())

    @property
    def http_url(self) -> str | None:
        """Where short requests go in the clear; None when there is no such place."""
        return self._http.get("http") if self._given else self._running().http_url

    @property
    def https_url(self) -> str | None:
        """Where short requests go over TLS; None when there is no such place."""
        return self._http.get("https") if self._given else self._running().https_url

    @property
    def ports(self) -> tuple[int, ...]:
        """Four ports of `reference.HOST` that serve everything; only when `is_ours`."""
        return self._running().ports

    @property
    def ca(self) -> Path | None:
        """PEM of the authority to trust; None when those of the system are to be trusted."""
        if not self._given:
            return self._running().ca
        urls = [*self._http.values(), *(endpoint.url for endpoint in self._given)]
        named = [name for url in urls for name in parse_qs(urlsplit(url).query).get("ca", [])]
        return Path(named[0]) if named else None

    @property
    def column(self) -> str:
        """What results of this run stand under: its carrier, or the fault plan and the carrier beside TCP."""
        if self.weather is None:
            return self.carrier
        return column(self.weather.plan.name, self.carrier)

    @property
    def runs_first(self) -> bool:
        """True over the first carrier chosen, where cases run that no carrier changes."""
        return self.carrier == self.chosen[0]

    def accounts_with_password(self) -> list[User]:
        """Those whose password the suite knows, of all blocks, whether a case has them or not."""
        blocks = self._known_blocks if self._given else self._running().blocks
        return [user for block in blocks for user in block.users if user.password is not None]

    def lacks(self, capability: str) -> str | None:
        """Why a capability of the catalogue is not there; None when it is."""
        if capability in self._without:
            why = self._without[capability]
            return why or f"the target does not offer {capability} (--without {capability})"
        if capability in TAKEN_FOR_GRANTED:
            return None
        if capability in _OVER_HTTP:
            missing = self._given and not self._http
            return f"{capability} is over HTTP, and no --http URL was given" if missing else None
        if capability in _BY_LADDER:
            ours = "the suite breaks the network only before a server that it started"
            return None if self.is_ours else f"{capability}: {ours}"
        if capability == "tls":
            secure = not self._given or "https" in self._http or any(map(self.endpoints_of, _OVER_TLS))
            return None if secure else "no --target and no --http URL is one with TLS"
        if capability in self.dialect.offers:
            return None
        return f"{self.dialect.name} over a long connection does not offer {capability}"

    @property
    def without(self) -> list[str]:
        """What it lacks, as it was told and as `probe` found it."""
        return [f"{name}={why}" for name, why in self._without.items()]

    def next_block(self) -> Block:
        """Ten users whom no case has had yet. Raises TargetUnusable when there are no more.

        Of another protocol, a circle that no case has at the time: it is given back with the greenlet's end.
        """
        if self._lent is not None:
            return _lend(self._lent)
        if self._blocks is None:
            self._running()
        assert self._blocks is not None
        block = next(self._blocks, None)
        if block is None:
            needed = (self.cases_planned + _SPARE_BLOCKS) * len(self.chosen)
            over = f" over {len(self.chosen)} carriers" if len(self.chosen) > 1 else ""
            raise TargetUnusable(
                f"the accounts file has too few blocks for {self.cases_planned} cases{over}: "
                f"{len(self._known_blocks)}, and {needed} are enough; {HOW_TO_MAKE}"
            )
        return block

    @property
    def query(self) -> frozenset[str]:
        """What the URLs say behind their question marks, such as `qos=2`."""
        parts = (part for each in self._given for part in urlsplit(each.url).query.split("&"))
        return frozenset(filter(None, parts))

    @property
    def knows_secrets(self) -> bool:
        """Whether the accounts have something to log in with that others lack."""
        blocks = self._known_blocks if self._given else self._running().blocks
        return all(user.token for block in blocks[:1] for user in block.users)

    def rooms_of(self, user: User) -> tuple[str, ...]:
        """The groups that a device of the user has to enter by itself."""
        if not self.dialect.enters_rooms:
            return ()
        return tuple(block.group for block in self._known_blocks if user.user in block.group_members)

    def probe(self) -> None:
        """Connect over each carrier chosen and log in as the first account. Raises TargetUnusable with what
        stands in the way."""
        if not self._known_blocks:
            return
        account = self._known_blocks[0].users[0]
        for endpoint in (each for carrier in self.chosen for each in self.endpoints_of(carrier)):
            if not self.speaks_chat:
                lacks = _probe_as_a_client(endpoint, account, self.rooms_of(account))
                self._without |= {name: why for name, why in lacks if name not in self._without}
                continue
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
            if not isinstance(answer, LoggedInMessage):
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
        return self._running().server

    def _running(self) -> Reference:
        if self._reference is None:
            tries = 1 if self.weather is None else TRIES
            self._reference = reference.start(
                self._stack, self.cases_planned * tries + _SPARE_BLOCKS, self.weather
            )
            self._blocks = iter(self._reference.blocks)
        return self._reference

    def _share(self, blocks: Sequence[Block]) -> Sequence[Block]:
        """The runs over several carriers go on at once, and no block is for two of them."""
        return blocks[self.chosen.index(self.carrier) :: len(self.chosen)]


def _lend(blocks: "Queue[Block]") -> Block:
    block = blocks.get()
    current = gevent.getcurrent()
    if isinstance(current, gevent.Greenlet):
        current.link(lambda _: blocks.put(block))
    else:
        blocks.put(block)  # a case that runs alone has nobody to keep it from
    return block


def _by_scheme(urls: Sequence[str], has_target: bool) -> dict[str, str]:
    found: dict[str, str] = {}
    for url in urls:
        scheme = url.partition("://")[0]
        if scheme not in ("http", "https"):
            raise TargetUnusable(f"--http {url!r}: write http://HOST:PORT or https://HOST:PORT")
        if scheme in found:
            raise TargetUnusable(f"--http {url}: there is an {scheme}:// URL already, {found[scheme]}")
        found[scheme] = url
    if urls and not has_target:
        raise TargetUnusable("--http needs --target URL: the reference server has its own")
    return found


def _only_dialect(endpoints: Sequence[Endpoint]) -> Dialect:
    dialects = {endpoint.dialect.name: endpoint.dialect for endpoint in endpoints}
    if len(dialects) > 1:
        raise TargetUnusable(f"targets of {' and '.join(dialects)}: a run of the suite is about one protocol")
    return next(iter(dialects.values()), None) or parse_target(f"{OWN}+tcp://127.0.0.1").dialect


def _probe_as_a_client(
    endpoint: Endpoint, account: User, rooms: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    """What the server lacks, by its own word."""
    where = f"target {endpoint.url}"
    with Device((endpoint,), Identity(account.user, "probe", account.token, rooms)) as device:
        device.start()
        try:
            answer = device.await_event(Event, _decides, timeout_s=_PROBE_S)
        except Expected as error:
            raise TargetUnusable(f"{where}: no answer to a login within {_PROBE_S:.0f} s") from error
        if isinstance(answer, ConnectFailed):
            raise TargetUnusable(f"{where}: cannot connect: {answer.reason}")
        if isinstance(answer, Refused):
            raise TargetUnusable(f"{where}: login of {account.user} refused: {answer.code} {answer.text}")
        if isinstance(answer, Closed):
            raise TargetUnusable(
                f"{where}: the login of {account.user} ended: {answer.reason} {answer.detail}"
            )
        device.leave()
        return answer.lacks if isinstance(answer, LoggedIn) else ()


def _decides(event: Event) -> bool:
    return isinstance(event, LoggedIn | Refused | ConnectFailed | Closed)

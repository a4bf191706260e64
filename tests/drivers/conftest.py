"""A client driven by hand, and a reference server for the pumps."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from drivers import events
from drivers.accounts import AccountsFile
from drivers.client import Client, State, Surroundings
from drivers.contract import Identity
from drivers.endpoints import Endpoint, parse_target
from drivers.events import Event
from drivers.policy import Policy
from protocol import frames, messages
from protocol.messages import Entry, Message
from refserver.accounts.adding import generate
from refserver.accounts.issuing import tokens
from refserver.process import ServerProcess


class Roster:
    def identity(self, index: int) -> Identity:
        return Identity("ann", "phone", "token of ann")


@dataclass
class ByHand:
    """A client whose pump and server is the test. `now` moves only when the test says so."""

    endpoints: int = 1
    policy: Policy = field(default_factory=lambda: Policy(dice=random.Random(7)))
    version: int = 0
    now: float = 1000.0
    events: list[Event] = field(default_factory=list)
    react: Callable[[Event], None] = lambda event: None

    def __post_init__(self) -> None:
        targets = tuple(parse_target(f"chat+tcp://127.0.0.1:{port}") for port in range(1, self.endpoints + 1))
        surroundings = Surroundings(targets, Roster(), self.policy, self._observe)
        self.client = Client(surroundings, 0, version=self.version)

    def connect(self) -> None:
        if self.client.state is State.STOPPED:
            self.client.start(self.now)
        if self.client.state is State.WAITING:
            self.run_to(self.client.deadline)
        self.client.dialled(self.now)
        self.client.connected(self.now)

    def online(self, newest: int | None = None, heartbeat_s: int = 60) -> "ByHand":
        """Logged in, the LOGIN taken and the events forgotten."""
        self.connect()
        newest = self.client.version if newest is None else newest
        self.hear(messages.LoggedIn("ann", 1, newest, heartbeat_s, [], 0, "n"))
        self.events.clear()
        self.client.take()
        return self

    def hear(self, *said: Message) -> None:
        self.client.receive(b"".join(map(frames.encode, said)), self.now)

    def said(self) -> list[Message]:
        """What the client wants to send."""
        buffer = frames.FrameBuffer(self.client.take())
        return list(iter(buffer.next_message, None))

    def run_to(self, until: float) -> None:
        """Time passes; the client is ticked whenever its deadline comes."""
        while self.client.deadline <= until:
            self.now = max(self.now, self.client.deadline)
            self.client.tick(self.now)
            assert self.client.deadline > self.now
        self.now = max(self.now, until)

    def all_of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if type(event) is kind]

    def shown(self) -> list[int]:
        return [event.entry.version for event in self.events if isinstance(event, events.Delivered)]

    def _observe(self, client: Client, event: Event, now: float) -> None:
        self.events.append(event)
        self.react(event)


@pytest.fixture
def by_hand() -> type[ByHand]:
    return ByHand


@pytest.fixture
def entry() -> Callable[[int], Entry]:
    """A message from bob to ann at a version of ann's inbox."""
    return lambda version: Entry(version, 100 + version, "ann:bob", version, "bob", "text", b"", 0)


@dataclass(frozen=True)
class Served:
    """A running reference server and who may log in."""

    process: ServerProcess
    accounts: AccountsFile

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        return tuple(parse_target(f"chat+{url}") for url in self.process.tcp_urls)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Shared by all tests: each takes accounts of its own, see `accounts_from`."""
    data: Path = tmp_path_factory.mktemp("server")
    generate(data, 1000)
    tokens(data, None, 3600.0, data / "tokens.csv")
    with ServerProcess(data, http=False, friends_only=False) as process:
        yield Served(process, AccountsFile(data / "tokens.csv"))

"""The seam for other protocols: how a dialect is found, what its URL becomes, what a client makes of it."""

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import events, registered
from drivers.client import Client, State, Surroundings
from drivers.contract import (
    AskUnread,
    Dialect,
    Ended,
    Identity,
    InWebSocket,
    Outgoing,
    OutgoingPackage,
    Question,
    Received,
)
from drivers.endpoints import TargetError, parse_target, schemes
from drivers.events import CloseReason, Event
from drivers.policy import Policy
from drivers.recent import KEYS, Recent
from drivers.registered import NAMED_IN, name_dialect
from protocol.errors import LocalProtocolError
from protocol.messages import Entry


class Parrot:
    """A session that says what it was told, and hears the events that a test puts into `next`."""

    def __init__(self) -> None:
        self.next: deque[list[Event]] = deque()
        self.said: list[tuple[object, ...]] = []
        self.left_behind: object | None = None

    def login(self, identity: Identity, version: int, heartbeat_s: int) -> None:
        self.said.append(("login", identity, version))

    def resume(self, remains: object) -> None:
        self.said.append(("resume", remains))

    def remains(self) -> object | None:
        return self.left_behind

    def receive(self, data: bytes) -> list[Event]:
        return self.next.popleft()

    def take(self) -> bytes:
        return b""

    def ping(self, heartbeat_s: int | None = None) -> None:
        self.said.append(("ping",))

    def submit(self, outgoing: Outgoing | OutgoingPackage, attempt: int) -> None:
        self.said.append(("submit", outgoing.cid, attempt))

    def acknowledge(self, version: int) -> None:
        self.said.append(("acknowledge", version))

    def pull(self, after: int, limit: int) -> None:
        raise LocalProtocolError("no versions, no pull")

    def ask(self, question: Question) -> None:
        raise LocalProtocolError("nobody answers")

    def bye(self) -> None:
        self.said.append(("bye",))


PARROT = Dialect(
    name="parrot",
    new_session=Parrot,
    offers=frozenset({"offline"}),
    default_port=7,
    ports={"tls": 8},
    schemes={"parrots": "tls"},
    options=frozenset({"colour"}),
    configured=lambda url: replace(PARROT, name=f"parrot of {url.query}"),
    websocket=InWebSocket(path="/cage"),
    resumes=True,
    retransmits=False,
)


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(NAMED_IN, "")
    registered.known_dialects.cache_clear()
    yield
    registered.known_dialects.cache_clear()


# -- how it is found


def test_a_dialect_is_found_by_an_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [EntryPoint("parrot", "drivers.dialects.chat:DIALECT", registered.GROUP)]
    monkeypatch.setattr(registered, "_entry_points", lambda: points)
    assert registered.known_dialects()["chat"].name == "chat"
    monkeypatch.setattr(EntryPoint, "load", lambda self: PARROT)
    registered.known_dialects.cache_clear()
    assert parse_target("parrot+tcp://127.0.0.1").port == 7


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("nowhere_at_all:DIALECT", "No module named 'nowhere_at_all'"),
        ("drivers.dialects.chat:NOTHING", "has no attribute 'NOTHING'"),
        ("drivers.dialects.chat:ChatSession", "not a drivers.contract.Dialect"),
        ("drivers.dialects.chat", "write MODULE:NAME"),
    ],
)
def test_one_that_cannot_be_had_is_one_line(place: str, told: str) -> None:
    name_dialect(place)
    with pytest.raises(TargetError, match=told):
        parse_target("chat+tcp://127.0.0.1:1")


def test_a_name_that_is_taken_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registered, "_load", lambda place: replace(PARROT, name="chat"))
    name_dialect("mine:DIALECT")
    with pytest.raises(TargetError, match="there is another of that name"):
        parse_target("chat+tcp://127.0.0.1:1")


@pytest.fixture
def parrot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registered, "_load", lambda place: PARROT)
    name_dialect("mine:PARROT")


# -- what its URL becomes


@pytest.mark.usefixtures("parrot")
def test_its_schemes_ports_and_options_are_its_own() -> None:
    assert {"parrots", "parrot+tcp", "parrot+tls", "parrot+ws"} <= set(schemes())
    assert "parrot+longpoll" not in schemes()
    bare, secure = parse_target("parrot://127.0.0.1"), parse_target("parrots://127.0.0.1?name=a.example")
    assert (bare.port, bare.carrier.name, secure.port, secure.carrier.name) == (7, "tcp", 8, "tls")
    assert parse_target("parrot://127.0.0.1?colour=green").dialect.name == "parrot of colour=green"
    with pytest.raises(TargetError, match="size=3 means nothing here"):
        parse_target("parrot://127.0.0.1?colour=green&size=3")


@pytest.mark.usefixtures("parrot")
def test_what_stands_before_the_host_outlives_a_proxy() -> None:
    moved = parse_target("parrots://a.example@127.0.0.1").moved("127.0.0.2", 9)
    assert parse_target(moved.url).host == "127.0.0.2"
    assert moved.url.startswith("parrots://a.example@127.0.0.2:9")


@pytest.mark.usefixtures("parrot")
def test_its_websocket_is_opened_as_it_says() -> None:
    session = parse_target("parrot+ws://127.0.0.1").new_session()
    assert session.take().startswith(b"GET /cage HTTP/1.1\r\n")


# -- what a client makes of it


class Keeper:
    """A client whose session is a parrot."""

    def __init__(self, dialect: Dialect = PARROT) -> None:
        self.events: list[Event] = []
        self.sessions: list[Parrot] = []
        self.now = 0.0
        target = parse_target("chat+tcp://127.0.0.1:1")
        endpoint = replace(target, dialect=replace(dialect, new_session=self._new))
        policy = Policy(dice=random.Random(1))
        self.client = Client(Surroundings((endpoint,), self, policy, self._observe), 0)

    def identity(self, index: int) -> Identity:
        return Identity("ann", "phone", "secret", ("g:ann",))

    def _new(self) -> Parrot:
        self.sessions.append(Parrot())
        return self.sessions[-1]

    def _observe(self, client: Client, event: Event, now: float) -> None:
        self.events.append(event)

    def online(self) -> Parrot:
        if self.client.state is State.STOPPED:
            self.client.start(self.now)
        while self.client.state is not State.CONNECTING:
            self.now = max(self.now, self.client.deadline)
            self.client.tick(self.now)
        self.client.connected(self.now)
        self.hear(events.LoggedIn("ann", 0, 0, 60.0, (), ""))
        return self.sessions[-1]

    def hear(self, *happened: Event) -> None:
        self.sessions[-1].next.append(list(happened))
        self.client.receive(b"x", self.now)

    def kinds(self) -> list[type[Event]]:
        return [type(event) for event in self.events]


def received(key: str, attempt: int = 1, via: str = "") -> Received:
    return Received(Entry(0, 0, "ann:bob", 0, "bob", "text", b"", 0), key, attempt, via)


def test_a_message_is_shown_once_and_nothing_is_acknowledged_by_version() -> None:
    keeper = Keeper()
    session = keeper.online()
    keeper.events.clear()
    keeper.hear(received("a"), received("b"), received("a", attempt=2))
    keeper.hear(received("b", via="pull"))
    assert keeper.kinds() == [events.Delivered, events.Delivered, events.Repeated, events.Repeated]
    assert [(event.via, event.attempt) for event in keeper.events] == [
        ("push", 1), ("push", 1), ("push", 2), ("pull", 1),
    ]  # fmt: skip
    assert not keeper.client.has_gap
    assert not [said for said in session.said if said[0] == "acknowledge"]


def test_a_repeat_is_known_again_after_a_reconnection() -> None:
    keeper = Keeper()
    keeper.online()
    keeper.hear(received("a"))
    keeper.client.lost(CloseReason.RESET, "", keeper.now)
    keeper.online()
    keeper.hear(received("a", attempt=2))
    assert keeper.kinds()[-1] is events.Repeated


def test_an_idle_client_has_no_window() -> None:
    keeper = Keeper()
    keeper.online()
    assert keeper.client._past is None
    keeper.hear(received("a"))
    assert isinstance(keeper.client._past, Recent)


@given(st.lists(st.integers(0, 3 * KEYS), max_size=5 * KEYS))
def test_the_window_never_forgets_a_recent_key_and_stays_bounded(numbers: list[int]) -> None:
    recent, past = Recent(), list[int]()
    for number in numbers:
        is_repeat = recent.is_repeat(str(number))
        if number not in past:
            assert not is_repeat
        elif len(set(past[len(past) - 1 - past[::-1].index(number) :])) < KEYS:
            assert is_repeat
        past.append(number)
    assert len(recent._keys) + len(recent._before) <= 2 * KEYS


@pytest.mark.parametrize("before", [0, 1, KEYS // 2, KEYS - 1])
def test_a_key_is_known_again_until_so_many_others_came(before: int) -> None:
    recent = Recent()
    for number in range(before):
        recent.is_repeat(f"before {number}")
    assert not recent.is_repeat("it")
    assert not any(recent.is_repeat(str(number)) for number in range(KEYS - 1))
    assert recent.is_repeat("it")


def test_keys_pass_out_of_the_window() -> None:
    recent = Recent()
    assert not recent.is_repeat("first")
    assert not any(recent.is_repeat(str(number)) for number in range(2 * KEYS))
    assert not recent.is_repeat("first")


def test_where_nothing_may_be_repeated_the_connection_is_given_up_instead() -> None:
    keeper = Keeper()
    first = keeper.online()
    keeper.client.send(Outgoing("c", "bob", "text", b"", 0), keeper.now)
    answer_s = Policy().answer_s
    keeper.now += answer_s - 0.1
    keeper.client.tick(keeper.now)
    assert keeper.client.state is State.ONLINE
    keeper.now += 0.2
    keeper.client.tick(keeper.now)
    closed = [event for event in keeper.events if isinstance(event, events.Closed)]
    assert [event.reason for event in closed] == [CloseReason.UNANSWERED]
    assert [said for said in first.said if said[0] == "submit"] == [("submit", "c", 1)]
    second = keeper.online()
    assert [said for said in second.said if said[0] == "submit"] == [("submit", "c", 2)]


def test_where_repeats_are_allowed_the_connection_stays() -> None:
    keeper = Keeper(replace(PARROT, retransmits=True))
    session = keeper.online()
    keeper.client.send(Outgoing("c", "bob", "text", b"", 0), keeper.now)
    keeper.now += Policy().retransmit_start_s
    keeper.client.tick(keeper.now)
    assert [said[2] for said in session.said if said[0] == "submit"] == [1, 2]
    assert keeper.client.state is State.ONLINE


@pytest.mark.parametrize("end", ["lost", "ended", "left"])
def test_what_a_session_leaves_is_handed_to_the_next_before_its_login(end: str) -> None:
    keeper = Keeper()
    session = keeper.online()
    session.left_behind = "half a message"
    if end == "lost":
        keeper.client.lost(CloseReason.RESET, "", keeper.now)
    elif end == "ended":
        keeper.hear(Ended(CloseReason.ERROR, ""))
    else:
        keeper.client.leave(keeper.now)
    session.left_behind = None
    following = keeper.online()
    assert following.said[0] == ("resume", "half a message")
    assert following.said[1][0] == "login"
    keeper.client.lost(CloseReason.RESET, "", keeper.now)
    assert keeper.online().said[0][0] == "login"  # nothing was left that time


def test_a_login_that_fails_takes_nothing_away_from_the_next() -> None:
    keeper = Keeper()
    keeper.online().left_behind = "half a message"
    keeper.client.lost(CloseReason.RESET, "", keeper.now)
    while keeper.client.state is not State.CONNECTING:
        keeper.now = keeper.client.deadline
        keeper.client.tick(keeper.now)
    keeper.client.connected(keeper.now)
    keeper.client.lost(CloseReason.RESET, "", keeper.now)
    assert keeper.online().said[0] == ("resume", "half a message")


def test_rooms_come_with_the_identity() -> None:
    keeper = Keeper()
    login = keeper.online().said[0]
    assert isinstance(login[1], Identity)
    assert login[1].rooms == ("g:ann",)


def test_a_question_that_the_protocol_has_no_words_for_is_refused() -> None:
    keeper = Keeper()
    keeper.online()
    with pytest.raises(LocalProtocolError):
        keeper.client.ask(AskUnread(), keeper.now)
    assert keeper.client.unfinished == 0

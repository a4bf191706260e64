"""HBT.4 to HBT.6: intervals that change, heartbeats that cost little, and returns that are spread."""

import random
import time

import gevent
import pytest

from conformance.accounts import Block
from conformance.carriers import on_a_connection
from conformance.clients import Clients, MakePhone, MakeWire
from conformance.phone import Phone, log_in
from conformance.target import Target
from conformance.verdicts import Undecided, not_offered
from drivers.client import Client, State, Surroundings
from drivers.contract import Identity
from drivers.endpoints import parse_target
from drivers.events import Closed, CloseReason, Event
from drivers.policy import Policy
from protocol import frames
from protocol.limits import HEADER_BYTES
from protocol.messages import LoggedIn, Login, Ping, Pong

_LIVING_S = 3.7
"""How long somebody is silent who may be: longer than 3.5 s, which is what an interval of 1 s would allow."""


def change(phone: Phone, heartbeat_s: int) -> float:
    """PING with another interval; what PONG says it is from now on."""
    phone.wire.send(Ping(heartbeat_s))
    return phone.expect(Pong).heartbeat_s


def change_exactly(phone: Phone, heartbeat_s: int) -> None:
    got = change(phone, heartbeat_s)
    assert got == heartbeat_s, f"expected PONG to agree to {heartbeat_s} s, got {got} s"


def assert_cleared(phone: Phone, heartbeat_s: int, who: str) -> None:
    """Silent from now on: closed in time for the interval, and not before it."""
    began = time.monotonic()
    limit_s = 1.5 * heartbeat_s + 2 + phone.late_s
    while not phone.wire.is_closed:
        left = began + limit_s - time.monotonic()
        assert left > 0, f"{who}: expected to be cleared within {limit_s} s of its last frame"
        phone.listen(left)
    lived_s = time.monotonic() - began
    assert lived_s + phone.late_s >= heartbeat_s, (
        f"{who}: expected not to be cleared before a heartbeat was due, it was after {lived_s:.1f} s"
    )


def assert_living(phone: Phone, who: str) -> None:
    """Silent for longer than an interval of a second would allow; the connection still answers."""
    phone.listen(_LIVING_S)
    assert not phone.wire.is_closed, f"{who}: expected the connection to be kept through the silence"
    phone.beat()


@pytest.mark.clause("HBT.4")
@on_a_connection("over polls there is no connection that the server could clear")
@pytest.mark.waits
def test_the_interval_can_be_changed_on_a_live_connection(block: Block, phone: MakePhone) -> None:
    """The heartbeat interval is negotiated at login and can be changed on a live connection.

    Phones change their intervals by PING and then fall silent: from 60 s to 1 s; from 1 s to 60 s; down and
    up again; up and down again; from 60 s to 2 s; one keeps 60 s and one 1 s as negotiated. Expected: PONG
    agrees each time; who has 1 or 2 s is cleared in time and not early, who has 60 s is kept.
    """
    users = block.pick(7)
    ways: list[tuple[str, int, list[int]]] = [
        ("60 s, then 1 s", 60, [1]),
        ("1 s, then 60 s", 1, [60]),
        ("60 s, 1 s, 60 s", 60, [1, 60]),
        ("1 s, 60 s, 1 s", 1, [60, 1]),
        ("60 s, then 2 s", 60, [2]),
        ("60 s from the login on", 60, []),
        ("1 s from the login on", 1, []),
    ]

    # What a login gets, a live connection has to get as well; what none gets decides nothing.
    for asked in (1, 2, 60):
        agreed = phone(users[0], f"asks for {asked} s", heartbeat_s=asked).logged_in.heartbeat_s
        if agreed != asked:
            raise Undecided(f"asked for a heartbeat of {asked} s at login, the server insists on {agreed} s")

    def go(number: int) -> None:
        who, first, then = ways[number]
        one = phone(users[number], heartbeat_s=first)
        for heartbeat_s in then:
            change_exactly(one, heartbeat_s)
        last = [first, *then][-1]
        if last > 3:
            assert_living(one, who)
        else:
            assert_cleared(one, last, who)

    gevent.joinall([gevent.spawn(go, number) for number in range(len(ways))], raise_error=True)


@pytest.mark.clause("HBT.4")
@on_a_connection("over polls the server knows of no interval")
def test_a_changed_interval_stays_until_it_is_changed_again(block: Block, phone: MakePhone) -> None:
    """... changed on a live connection: for that connection, and for good.

    The phone asks for another interval; plain PINGs follow, a message is sent, and the user's tablet beats.
    Expected: the phone's PONGs go on to name its own interval, the tablet's the other; a new login starts
    from what it asks for itself.
    """
    user, friend = block.pick(2)
    one, tablet = phone(user, "phone", heartbeat_s=60), phone(user, "tablet", heartbeat_s=50)
    wanted = change(one, 20)
    one.say(friend.user, b"between heartbeats")
    for _ in range(3):
        got = (one.beat().heartbeat_s, tablet.beat().heartbeat_s)
        assert got == (wanted, tablet.logged_in.heartbeat_s), (
            f"expected {wanted} s and the tablet's, got {got}"
        )
    one.hang_up()
    again = phone(user, "phone", heartbeat_s=60).beat().heartbeat_s
    assert again != wanted or wanted == 60, f"expected a new login to start anew, it got {again} s"


_THE_CLIENT = pytest.mark.once("the client of this suite is what is looked at, and nothing is connected")
_NOWHERE = (parse_target("chat+tcp://127.0.0.1"),)


class _Nobody:
    def identity(self, index: int) -> Identity:
        return Identity(f"u{index}", "phone", "none")


class _Forgetful:
    """A middlebox that forgets a connection over which nothing goes for `idle_s`, with a clock of its own.

    Behind it is a client of this suite, before it a server that agrees to every interval. What is sent over
    a forgotten connection goes nowhere, and nobody is told.
    """

    def __init__(self, idle_s: float, policy: Policy) -> None:
        shared = Surroundings(_NOWHERE, _Nobody(), policy, self._observe)
        self.client = Client(shared, 0)
        self.heartbeat_s = 0
        self.lost_at: list[float] = []
        self._idle_s = idle_s
        self._passed_at = 0.0
        self._now = 0.0

    def run(self, until: float) -> None:
        self.client.start(self._now)
        self._serve()
        while self.client.deadline <= until:
            self._now = max(self._now, self.client.deadline)
            self.client.tick(self._now)
            self._serve()
        self._now = until

    def _serve(self) -> None:
        if self.client.state is State.CONNECTING:
            self.client.dialled(self._now)
            self.client.connected(self._now)
            self._passed_at = self._now
        self._carry(self.client.take())

    def _carry(self, data: bytes) -> None:
        if not data or self._now - self._passed_at >= self._idle_s:
            return
        self._passed_at = self._now
        buffer = frames.FrameBuffer(data)
        while (message := buffer.next_message()) is not None:
            if isinstance(message, Login):
                self.heartbeat_s = message.heartbeat_s
                logged_in = LoggedIn("u", 1, 0, self.heartbeat_s, [], 0, "node")
                self.client.receive(frames.encode(logged_in), self._now)
            elif isinstance(message, Ping):
                self.client.receive(frames.encode(Pong(0, self.heartbeat_s)), self._now)

    def _observe(self, client: Client, event: Event, now: float) -> None:
        if isinstance(event, Closed):
            self.lost_at.append(now)


@pytest.mark.clause("HBT.4")
@_THE_CLIENT
@pytest.mark.parametrize("forgets_after_s", [7, 20, 45, 200])
def test_an_adaptive_client_finds_an_interval_that_holds(dice: random.Random, forgets_after_s: int) -> None:
    """... a client behind a middlebox that forgets idle flows after T seconds finds an interval below T and
    stays connected (adaptive heartbeat).

    The client of this suite is what is looked at, with a clock of its own: it starts with 240 s behind a
    middlebox that forgets after 7, 20, 45 or 200 s, for six hours. Expected: it ends with an interval below
    that, no shorter than a quarter of it, within half an hour; from then on it loses no connection.
    """
    policy = Policy(heartbeat_s=240, adaptive_heartbeat=True, dice=dice)
    path = _Forgetful(forgets_after_s, policy)
    path.run(6 * 3600.0)
    assert forgets_after_s / 4 <= path.heartbeat_s < forgets_after_s, (
        f"expected an interval below {forgets_after_s} s and not needlessly short, got {path.heartbeat_s} s"
    )
    late = [at for at in path.lost_at if at > 1800]
    assert not late, f"expected no connection to be lost after half an hour, some were at {late} s"
    assert path.client.state is State.ONLINE, "expected the client to be connected in the end"


@pytest.mark.clause("HBT.5")
@on_a_connection("a poll has no heartbeat, it asks for the newest version instead")
def test_a_heartbeat_costs_at_most_sixteen_bytes(block: Block, phone: MakePhone, wire: MakeWire) -> None:
    """... an application heartbeat costs at most 16 bytes of payload each way.

    The user has 300 messages, and an interval of an hour, so that the numbers in PONG are not small.
    Expected: the answers to PING, with another interval and without, have at most 16 bytes; so have the
    PINGs themselves.
    """
    user, friend = block.pick(2)
    phone(friend).say_all(user.user, [b"x"] * 300)
    sizes: dict[int, int] = {}
    counted = wire(hear=lambda _, frame: sizes.update({frame[1]: len(frame) - HEADER_BYTES}))
    log_in(counted, user, "counted", heartbeat_s=3600)
    for ping in (Ping(), Ping(3600), Ping()):
        counted.send(ping)
        counted.expect(Pong)
        up, down = sizes[Ping.TYPE], sizes[Pong.TYPE]
        assert up <= 16, f"expected at most 16 bytes of PING, the client sends {up}"
        assert down <= 16, f"expected at most 16 bytes of PONG, got {down}"


_KEEPALIVE_TIMER = "02"


@pytest.mark.clause("HBT.5")
@on_a_connection("a request is over before keepalive means anything")
def test_keepalive_runs_on_accepted_connections(block: Block, target: Target, wire: MakeWire) -> None:
    """TCP keepalive is set on accepted connections as a second line.

    Seen from inside only: the kernel lists the timers of sockets on this machine, so the server has to be
    one that the suite started. Expected: the server's end of an idle connection has a keepalive timer.
    """
    if not target.is_ours:
        not_offered("keepalive is not visible from outside, and the server may be on another machine")
    endpoint = target.endpoints[0]
    idle = wire()
    # An answer shows that the server has accepted it.
    log_in(idle, block.users[0], "idle")
    ends = (f":{endpoint.port:04X}", f":{idle._socket.getsockname()[1]:04X}")
    until = time.monotonic() + 2.0
    timer = ""
    # Until the last bytes are acknowledged another timer stands in its place.
    while timer != _KEEPALIVE_TIMER and time.monotonic() < until:
        with open("/proc/net/tcp", encoding="ascii") as table:
            rows = [line.split() for line in table][1:]
        timer = next(
            (row[5][:2] for row in rows if row[1].endswith(ends[0]) and row[2].endswith(ends[1])), ""
        )
        gevent.sleep(0.02)
    assert timer == _KEEPALIVE_TIMER, (
        f"expected a keepalive timer ({_KEEPALIVE_TIMER}) on the server's end, its timer is {timer or 'none'}"
    )


_CLIENTS = 1000


def returns_after_an_outage(outage_s: float, dice: random.Random) -> list[float]:
    """When each of a thousand clients has its connection back, in seconds after all lost theirs at once.

    Clients are driven by a clock of their own: nothing is connected and nobody waits.
    """

    def observe(client: Client, event: Event, now: float) -> None:
        pass

    shared = Surroundings(_NOWHERE, _Nobody(), Policy(dice=dice), observe)
    back = []
    for index in range(_CLIENTS):
        client = Client(shared, index)
        client.start(0.0)
        _log_in(client, 0.0)
        client.lost(CloseReason.RESET, "the node died", 0.0)
        now = 0.0
        while client.state is not State.ONLINE:
            now = max(now, client.deadline)
            client.tick(now)
            if client.state is State.CONNECTING:
                client.dialled(now)
                if now < outage_s:
                    client.connect_failed("refused", now)
                else:
                    _log_in(client, now)
        back.append(now)
    return back


def _log_in(client: Client, now: float) -> None:
    client.dialled(now)
    client.connected(now)
    client.take()
    client.receive(frames.encode(LoggedIn("u", 1, 0, 60, [], 0, "node")), now)


@pytest.mark.clause("HBT.6")
@_THE_CLIENT
@pytest.mark.parametrize("outage_s", [0.0, 3.0, 10.0, 25.0])
def test_a_thousand_clients_come_back_spread(dice: random.Random, outage_s: float) -> None:
    """When N clients lose a node at once, reconnects are spread by exponential backoff with jitter: the
    busiest second holds less than a quarter of them for N of 1,000 or more, and all are back within 60 s.

    The client of this suite is what is looked at, with a clock of its own: a thousand lose their
    connections in one moment, and the node is back at once or after some time. Expected: of their returns
    less than a quarter falls into any second, and all are back within 60 s of the node.
    """
    back = returns_after_an_outage(outage_s, dice)
    busiest = max(sum(start <= at < start + 1.0 for at in back) for start in back)
    assert busiest < _CLIENTS / 4, (
        f"after an outage of {outage_s} s: expected less than {_CLIENTS // 4} returns in any second, "
        f"the busiest holds {busiest}"
    )
    last = max(back) - outage_s
    assert last <= 60, f"after an outage of {outage_s} s: expected all back within 60 s, not {last:.1f} s"


@pytest.mark.clause("HBT.6")
@pytest.mark.calm("how soon hundreds are back is what it looks at")
def test_a_server_takes_back_hundreds_at_once(block: Block, target: Target, dice: random.Random) -> None:
    """... and all are back: the server has to take them, however many come in one second.

    Two hundred and fifty connections are made and logged in at once, as the busiest second may bring them,
    then all are dropped and made again. Expected: all are logged in within 10 s, each time.
    """
    for turn in range(2):
        with Clients(target, dice) as crowd:
            began = time.monotonic()
            entering = [
                gevent.spawn(crowd.phone, block.users[number % 10], f"device-{number}")
                for number in range(250)
            ]
            gevent.joinall(entering, raise_error=True)
            took_s = time.monotonic() - began
        assert took_s < 10, f"turn {turn}: expected 250 logins within 10 s, they took {took_s:.1f} s"

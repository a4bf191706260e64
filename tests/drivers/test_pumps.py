"""Both pumps and the bare wire against a reference server, and against peers that behave badly."""

import itertools
import os
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import gevent
import gevent.server
import gevent.socket
import pytest

from drivers import events
from drivers.client import Client, State, Surroundings
from drivers.contract import AskUnread, Identity, Outgoing
from drivers.endpoints import Endpoint, parse_target
from drivers.policy import Policy
from drivers.pumps.blocking import Device
from drivers.pumps.epoll import EpollPump
from drivers.pumps.wire import Expected, Wire
from protocol import frames, messages
from protocol.limits import MAX_MESSAGE_BODY_BYTES
from protocol.messages import Message

HASTY = Policy(reconnect_base_s=0.05, reconnect_cap_s=0.2, next_endpoint_s=0.01)
_accounts = itertools.count()


@pytest.fixture
def take_accounts(server) -> Callable[[int], list[Identity]]:
    """Identities that no other test has."""
    return lambda count: [server.accounts.identity(next(_accounts), "phone") for _ in range(count)]


class Crowd:
    """Clients on an EpollPump, and all they report."""

    def __init__(
        self,
        endpoints: tuple[Endpoint, ...],
        identities: list[Identity],
        pump: EpollPump,
        policy: Policy = HASTY,
    ) -> None:
        self.identities = identities
        self.pump = pump
        self.heard: list[tuple[int, events.Event]] = []
        self.react: Callable[[Client, events.Event], None] = lambda client, event: None
        surroundings = Surroundings(endpoints, self, policy, self._observe)
        self.clients = [Client(surroundings, index) for index in range(len(identities))]
        self.news = gevent.event.Event()

    def identity(self, index: int) -> Identity:
        return self.identities[index]

    def _observe(self, client: Client, event: events.Event, now: float) -> None:
        self.heard.append((client.index, event))
        self.news.set()
        self.react(client, event)

    def start(self) -> "Crowd":
        for client in self.clients:
            self.pump.start(client)
        return self

    def until(self, holds: Callable[[Client], bool], timeout_s: float = 120.0) -> None:
        with gevent.Timeout(timeout_s):
            while not all(map(holds, self.clients)):
                self.news.clear()
                self.news.wait(0.5)

    def until_online(self) -> "Crowd":
        self.until(lambda client: client.state is State.ONLINE)
        return self

    def count(self, kind: type[events.Event]) -> int:
        return sum(type(event) is kind for _, event in self.heard)


@pytest.fixture
def pump() -> Iterator[EpollPump]:
    pump = EpollPump(max_handshakes=100)
    yield pump
    pump.close()
    pump.close()


class Peer:
    """A server of which each test says how it behaves, one greenlet a connection."""

    def __init__(self) -> None:
        self.behave: Callable[[gevent.socket.socket], None] = lambda connection: None
        self.connections = 0
        self._server = gevent.server.StreamServer(("127.0.0.1", 0), self._handle)
        self._server.start()
        self.endpoint = parse_target(f"chat+tcp://127.0.0.1:{self._server.server_port}")

    def _handle(self, connection: gevent.socket.socket, address: object) -> None:
        self.connections += 1
        self.behave(connection)

    def stop(self) -> None:
        self._server.stop(1)


@pytest.fixture
def peer() -> Iterator[Peer]:
    peer = Peer()
    yield peer
    peer.stop()


def messages_from(connection: gevent.socket.socket) -> Iterator[Message]:
    buffer = frames.FrameBuffer()
    while data := connection.recv(65536):
        buffer.feed(data)
        yield from iter(buffer.next_message, None)


def welcome(connection: gevent.socket.socket, heartbeat_s: int = 60) -> None:
    connection.sendall(frames.encode(messages.LoggedIn("ann", 1, 0, heartbeat_s, [], 0, "n")))


ANN = Identity("ann", "phone", "token")


# -- the epoll pump


def test_500_clients_chat_through_resets_and_farewells_and_nothing_is_lost_or_repeated(
    server, take_accounts, pump
) -> None:
    crowd = Crowd(server.endpoints, take_accounts(500), pump).start().until_online()
    sent: list[tuple[int, bytes]] = []
    for number, client in enumerate(crowd.clients * 3):
        to = (number * 7 + 1) % 500
        body = b"%d" % number
        sent.append((to, body))
        now = time.monotonic()
        client.send(Outgoing(f"c{number}", crowd.identities[to].user, "text", body, 0), now)
        pump.serve(client, now)
        if number % 5 == 0:
            pump.cut(crowd.clients[number % 500])
        if number % 11 == 0:
            pump.leave(client)
            pump.start(client)
    crowd.until(lambda client: client.state is State.ONLINE and not client.unfinished)
    for client in crowd.clients:  # the answer to a question says that all pushes before it have come
        client.ask(AskUnread(), time.monotonic())
        pump.serve(client, time.monotonic())
    crowd.until(lambda client: client.state is State.ONLINE and not client.unfinished and not client.has_gap)
    crowd.until(lambda client: not client.has_gap)
    received = [
        (index, event.entry.body)
        for index, event in crowd.heard
        if isinstance(event, events.Delivered) and event.entry.sender != crowd.identities[index].user
    ]
    assert sorted(received) == sorted(sent)
    acked = Counter(
        (index, e.cid) for index, e in crowd.heard if isinstance(e, events.Acked) and not e.repeat
    )
    assert len(acked) == 1500
    assert set(acked.values()) == {1}


def test_never_more_handshakes_than_allowed_are_under_way(server, take_accounts) -> None:
    pump = EpollPump(max_handshakes=3)
    crowd = Crowd(server.endpoints, take_accounts(40), pump)
    most = 0

    def look(client: Client, event: events.Event) -> None:
        nonlocal most
        busy = [c for c in crowd.clients if c.link >= 0 and c.state in (State.CONNECTING, State.LOGGING_IN)]
        most = max(most, len(busy))

    crowd.react = look
    crowd.start().until_online()
    pump.close()
    assert 1 <= most <= 3


def test_a_turn_is_given_back_whatever_ends_the_handshake(peer) -> None:
    pump = EpollPump(max_handshakes=1)
    behaviours = itertools.chain(
        [lambda c: c.close(), lambda c: gevent.sleep(0), lambda c: c.sendall(b"what?")],
        itertools.repeat(None),
    )

    def behave(connection: gevent.socket.socket) -> None:
        spoil = next(behaviours)
        if spoil is not None:
            spoil(connection)
            connection.close()
            return
        for _ in messages_from(connection):
            welcome(connection)
            break
        for _ in messages_from(connection):
            pass

    peer.behave = behave
    nobody = socket.socket()
    nobody.bind(("127.0.0.1", 0))  # bound and not listening: refuses
    refusing = parse_target(f"chat+tcp://127.0.0.1:{nobody.getsockname()[1]}")
    crowd = Crowd((peer.endpoint, refusing), [ANN] * 6, pump).start().until_online()
    pump.close()
    nobody.close()
    assert crowd.count(events.ConnectFailed) >= 3
    assert crowd.count(events.LoggedIn) == 6


def test_a_farewell_that_does_not_fit_the_socket_arrives_whole(peer, pump) -> None:
    came: list[Message] = []
    done = gevent.event.Event()
    go_on = gevent.event.Event()

    def behave(connection: gevent.socket.socket) -> None:
        welcome(connection)
        go_on.wait()
        for message in messages_from(connection):
            came.append(message)
            if isinstance(message, messages.Bye):
                done.set()
                return

    peer.behave = behave
    crowd = Crowd((peer.endpoint,), [ANN], pump).start().until_online()
    (client,) = crowd.clients
    now = time.monotonic()
    for number in range(150):
        body = bytes(MAX_MESSAGE_BODY_BYTES)
        client.send(Outgoing(f"c{number}", f"user{number}", "file", body, 0), now)
        pump.serve(client, now)
    assert pump._unsent, "the socket took 9 MB: nothing was put to the test"
    pump.leave(client)
    assert client.state is State.STOPPED
    go_on.set()
    assert done.wait(60)
    assert [type(message) for message in came] == [messages.Login] + [messages.Send] * 150 + [messages.Bye]


def test_an_observer_that_raises_hurts_nobody_else(server, take_accounts, pump, monkeypatch) -> None:
    reported: list[object] = []
    hub = gevent.get_hub()
    monkeypatch.setattr(hub, "handle_error", lambda context, kind, value, trace: reported.append(value))
    crowd = Crowd(server.endpoints, take_accounts(30), pump, replace(HASTY, heartbeat_s=1))

    def fail(client: Client, event: events.Event) -> None:
        if client.index == 7 and isinstance(event, events.BeatSent | events.Beat):
            raise ValueError("a mistake in an observer")

    crowd.react = fail
    crowd.start().until_online()
    beats: Counter[int] = Counter()
    while len(beats) < 29 or min(beats.values()) < 3:
        crowd.news.clear()
        assert crowd.news.wait(60)
        beats = Counter(i for i, e in crowd.heard if isinstance(e, events.Beat) and i != 7)
    assert reported
    assert all(isinstance(error, ValueError) for error in reported)
    ends = [event.reason for _, event in crowd.heard if isinstance(event, events.Closed)]
    assert set(ends) <= {events.CloseReason.SILENCE}, "whoever was not heard for long may have been let go"


def test_closing_the_pump_closes_every_descriptor(server, take_accounts) -> None:
    before = len(os.listdir("/proc/self/fd"))
    pump = EpollPump()
    crowd = Crowd(server.endpoints, take_accounts(20), pump).start().until_online()
    for client in crowd.clients[:10]:
        pump.leave(client)
    pump.close()
    assert len(os.listdir("/proc/self/fd")) == before


# -- one device, and the bare wire


def test_a_device_reads_like_a_script(server, take_accounts) -> None:
    ann, bob = take_accounts(2)
    with Device(server.endpoints, ann) as one, Device(server.endpoints, bob) as other:
        one.log_in()
        other.log_in()
        acked = one.send_and_await(bob.user, b"hello")
        delivered = other.await_delivered(b"hello")
        assert delivered.entry.mid == acked.mid
        assert other.unread().total == 1
        assert other.read(acked.conversation, acked.sequence).unread == 0
        assert [contact.peer for contact in one.contacts().contacts] == [bob.user]
        assert [entry.body for entry in one.history(acked.conversation).entries] == [b"hello"]
        assert [entry.body for entry in other.timeline(acked.conversation)] == [b"hello"]


def test_a_device_comes_back_after_a_cut_and_after_leaving_at_once(server, take_accounts) -> None:
    ann, bob = take_accounts(2)
    with Device(server.endpoints, ann, policy=HASTY) as one, Device(server.endpoints, bob) as other:
        other.log_in()
        one.log_in()
        for step in (one.cut, lambda: (one.leave(), one.start()), lambda: (one.leave(), one.start())):
            seen = len(one.events)
            step()
            one.await_event(events.LoggedIn, since=seen)
        other.send_and_await(ann.user, b"still there?")
        one.await_delivered(b"still there?")
        assert [event.reason for event in one.all_of(events.Closed)] == ["reset", "left", "left"]


def test_frames_that_the_path_loses_are_made_good(server, take_accounts) -> None:
    ann, bob = take_accounts(2)
    policy = Policy(retransmit_start_s=0.05, retransmit_cap_s=0.1)
    with Device(server.endpoints, ann, policy=policy) as one, Device(server.endpoints, bob) as other:
        one.log_in()
        other.log_in()
        losses = {("up", messages.Send): 2, ("down", messages.Sent): 2}

        def lose(direction: str, message: Message) -> bool:
            left = losses.get((direction, type(message)), 0)
            losses[direction, type(message)] = left - 1
            return left > 0

        one.lose = lose
        assert one.send_and_await(bob.user, b"hello").attempts >= 5
        other.await_delivered(b"hello")
        assert len(other.timeline()) == 1


def test_the_end_of_a_device_never_waits_for_a_peer_that_does_not_read(peer) -> None:
    stop = gevent.event.Event()

    def behave(connection: gevent.socket.socket) -> None:
        welcome(connection)
        stop.wait()

    peer.behave = behave
    with Device((peer.endpoint,), ANN) as device:
        device.log_in()
        for number in range(150):
            device.send(f"user{number}", bytes(MAX_MESSAGE_BODY_BYTES))
        gevent.sleep(0)
    stop.set()
    assert device.client.link == -1


def test_an_expectation_that_fails_says_what_came_instead(server, take_accounts) -> None:
    (ann,) = take_accounts(1)
    with Device(server.endpoints, ann) as device:
        device.log_in()
        with pytest.raises(Expected, match=r"expected Delivered within 0\.01 s; came: Opened, LoggedIn"):
            device.await_event(events.Delivered, timeout_s=0.01)


def test_the_wire_says_what_no_client_would(server, take_accounts) -> None:
    (ann,) = take_accounts(1)
    with Wire(server.endpoints[0]) as wire:
        wire.send(messages.Login(ann.secret, "phone"))
        assert wire.expect(messages.LoggedIn).user == ann.user
        wire.send(messages.Ping())
        wire.expect(messages.Pong)
        wire.send_bytes(b"GET / HTTP/1.1\r\n\r\n")
        (error,) = wire.expect_closed()
        assert isinstance(error, messages.Error)
        assert error.fatal
        assert wire.is_closed


def test_the_wire_writes_with_patience_after_a_look_without(server, take_accounts, peer) -> None:
    go_on = gevent.event.Event()
    read = gevent.event.Event()

    def behave(connection: gevent.socket.socket) -> None:
        go_on.wait()
        left = 20_000_000
        while left and (data := connection.recv(1 << 20)):
            left -= len(data)
        if not left:
            read.set()

    peer.behave = behave
    with Wire(peer.endpoint) as wire:
        with pytest.raises(Expected):
            wire.next(0.001)
        go_on.set()
        wire.send_bytes(bytes(20_000_000))
        assert read.wait(60)

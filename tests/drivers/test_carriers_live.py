"""Every carrier between real processes: pumps, the bare wire, and a server of the `websockets` library."""

import http.client
import http.server
import itertools
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import gevent
import pytest
import websockets.sync.client
import websockets.sync.server

sys.path.insert(0, str(Path(__file__).parent))

from authority import Authority

from drivers import events
from drivers.accounts import AccountsFile
from drivers.client import Client, State, Surroundings
from drivers.contract import Identity, Outgoing
from drivers.endpoints import Endpoint, parse_target
from drivers.policy import Policy
from drivers.pumps.blocking import Device
from drivers.pumps.epoll import EpollPump
from drivers.pumps.wire import Expected, Wire
from protocol import frames, messages
from protocol.messages import Message
from refserver.accounts.adding import generate
from refserver.accounts.issuing import tokens
from refserver.process import ServerProcess

WRAPPING = ("tls", "ws", "wss")
POLLING = ("longpoll", "shortpoll")
CARRIERS = (*WRAPPING, *POLLING)
HASTY = Policy(reconnect_base_s=0.05, reconnect_cap_s=0.2, next_endpoint_s=0.01)
_accounts = itertools.count()


@dataclass(frozen=True)
class Served:
    process: ServerProcess
    accounts: AccountsFile
    ca: Path

    def endpoint(self, carrier: str) -> Endpoint:
        if carrier in POLLING:
            url = self.process.urls["http"][0].replace("http", carrier)
            return parse_target(f"chat+{url}{'?every_s=0.05' if carrier == 'shortpoll' else ''}")
        query = f"?ca={self.ca}" if carrier in ("tls", "wss") else ""
        return parse_target(f"chat+{self.process.urls[carrier][0]}{query}")

    def identities(self, count: int) -> list[Identity]:
        return [self.accounts.identity(next(_accounts), "phone") for _ in range(count)]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("carried")
    authority = Authority(folder)
    certificate = authority.issue("127.0.0.1")
    generate(folder / "data", 300)
    tokens(folder / "data", None, 3600.0, folder / "tokens.csv")
    with ServerProcess(
        folder / "data",
        friends_only=False,
        carriers=WRAPPING,
        certificate=(certificate.chain, certificate.key),
    ) as process:
        yield Served(process, AccountsFile(folder / "tokens.csv"), authority.ca)


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_device_chats_with_one_on_plain_tcp(served: Served, carrier: str) -> None:
    ann, bob = served.identities(2)
    with (
        Device((served.endpoint(carrier),), ann, policy=HASTY) as one,
        Device((served.endpoint("tcp"),), bob) as other,
    ):
        assert one.log_in().endpoint.startswith(f"{carrier}:")
        other.log_in()
        for body in (b"hello", bytes(65_000)):
            one.send_and_await(bob.user, body)
            other.await_delivered(body)
            other.send_and_await(ann.user, body[::-1])
            one.await_delivered(body[::-1])
        one.cut()
        other.send_and_await(ann.user, b"while you were away")
        one.await_delivered(b"while you were away")
        one.leave()
    assert [event.reason for event in one.all_of(events.Closed)] == [
        events.CloseReason.RESET,
        events.CloseReason.LEFT,
    ]


@pytest.mark.parametrize("carrier", CARRIERS)
def test_an_answer_that_is_lost_within_a_carrier_is_asked_for_again(served: Served, carrier: str) -> None:
    ann, bob = served.identities(2)
    lost: list[Message] = []

    def lose(direction: str, message: Message) -> bool:
        if direction == "down" and isinstance(message, messages.Sent) and not lost:
            lost.append(message)
            return True
        return False

    policy = Policy(retransmit_start_s=0.1)
    with Device((served.endpoint(carrier),), ann, policy=policy) as one:
        one.lose = lose
        one.log_in()
        acked = one.send_and_await(bob.user, b"hello")
    assert acked.attempts >= 2
    assert [message.mid for message in lost] == [acked.mid]


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_package_arrives_together_over_any_carrier(served: Served, carrier: str) -> None:
    ann, bob = served.identities(2)
    with (
        Device((served.endpoint(carrier),), ann, policy=HASTY) as one,
        Device((served.endpoint(carrier),), bob, policy=HASTY) as other,
    ):
        one.log_in()
        other.log_in()
        bodies = [b"first", b"second", b"third"]
        acked = one.send_package_and_await(bob.user, bodies)
        other.await_version(3)
        shown = [
            [(entry.mid, entry.sequence, entry.body) for entry in each.timeline()] for each in (one, other)
        ]
    assert shown[0] == shown[1]
    assert shown[0] == [(at.mid, at.sequence, body) for at, body in zip(acked.placed, bodies, strict=True)]


def test_clients_of_all_carriers_chat_on_one_pump_and_nothing_is_lost(served: Served) -> None:
    identities = served.identities(80)
    delivered: list[bytes] = []
    news = gevent.event.Event()

    class Roster:
        def identity(self, index: int) -> Identity:
            return identities[index]

    def observe(client: Client, event: events.Event, now: float) -> None:
        if isinstance(event, events.Delivered) and event.entry.sender != identities[client.index].user:
            delivered.append(event.entry.body)
        news.set()

    pump = EpollPump(max_handshakes=20)
    endpoints = tuple(served.endpoint(carrier) for carrier in ("tcp", *CARRIERS))
    surroundings = Surroundings(endpoints, Roster(), HASTY, observe)
    clients = [Client(surroundings, index) for index in range(len(identities))]

    def until(holds: Callable[[], bool]) -> None:
        with gevent.Timeout(120):
            while not holds():
                news.clear()
                news.wait(0.5)

    for client in clients:
        pump.start(client)
    until(lambda: all(client.state is State.ONLINE for client in clients))
    sent = []
    for number, client in enumerate(clients * 3):
        to = identities[(number * 7 + 1) % len(identities)].user
        sent.append(b"%d" % number)
        client.send(Outgoing(f"c{number}", to, "text", sent[-1], 0), time.monotonic())
        pump.serve(client, time.monotonic())
        if number % 9 == 0:
            pump.cut(clients[number % 80])
    until(lambda: len(delivered) >= len(sent) and not any(client.unfinished for client in clients))
    for client in clients:
        pump.leave(client)
    pump.close()
    assert sorted(delivered) == sorted(sent)


@pytest.mark.parametrize("carrier", CARRIERS)
def test_the_wire_says_what_no_client_would_over_any_carrier(served: Served, carrier: str) -> None:
    (ann,) = served.identities(1)
    with Wire(served.endpoint(carrier)) as wire:
        wire.send(messages.Login(ann.secret, "phone"))
        assert wire.expect(messages.LoggedIn).user == ("-" if carrier in POLLING else ann.user)
        wire.send(messages.Ping(), messages.Ping())
        assert [type(wire.next()) for _ in range(2)] == [messages.Pong] * 2
        wire.send_bytes(b"\xc7\xff\xff\xff and more")
        (error,) = wire.expect_closed()
        assert isinstance(error, messages.Error)
        assert error.fatal
    with Wire(served.endpoint(carrier)) as wire, pytest.raises(Expected):
        wire.next(0.05)


class _OneRequestAConnection(http.server.BaseHTTPRequestHandler):
    """A proxy of the old kind: HTTP/1.0, and the connection ends with the answer."""

    upstream = ""

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        upstream = http.client.HTTPConnection(self.upstream, timeout=30)
        upstream.request(self.command, self.path, body or None, dict(self.headers.items()))
        answer = upstream.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        upstream.close()

    do_POST = do_GET

    def log_message(self, *args: object) -> None:
        """Nobody reads it."""


@pytest.mark.parametrize("carrier", POLLING)
def test_polls_pass_a_proxy_that_ends_each_connection(served: Served, carrier: str) -> None:
    ann, bob = served.identities(2)
    direct = served.endpoint(carrier)
    handler = type("Handler", (_OneRequestAConnection,), {"upstream": f"{direct.host}:{direct.port}"})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as proxy:
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        endpoint = direct.moved("127.0.0.1", proxy.server_port)
        with (
            Device((endpoint,), ann, policy=HASTY) as one,
            Device((served.endpoint("tcp"),), bob, policy=HASTY) as other,
        ):
            one.log_in()
            other.log_in()
            for number in range(5):
                one.send_and_await(bob.user, b"to bob %d" % number)
                other.send_and_await(ann.user, b"to ann %d" % number)
            one.await_delivered(b"to ann 4")
            other.await_delivered(b"to bob 4")
        proxy.shutdown()
        thread.join()
    assert [event.entry.body for event in one.all_of(events.Delivered) if event.entry.sender == bob.user] == [
        b"to ann %d" % number for number in range(5)
    ]
    assert {event.via for event in one.all_of(events.Delivered)} <= {"poll", "pull", "sent"}
    assert not one.all_of(events.ConnectFailed)


def test_a_wire_names_the_reason_when_the_carrier_does_not_get_through(served: Served) -> None:
    endpoint = parse_target(f"chat+{served.process.urls['tls'][0]}")
    with Wire(endpoint) as wire, pytest.raises(ConnectionAbortedError, match="certificate refused"):
        wire.send(messages.Ping())


def test_a_device_tells_why_it_does_not_trust_a_server_and_tries_again(served: Served) -> None:
    (ann,) = served.identities(1)
    endpoint = parse_target(f"{served.endpoint('tls').url}&name=chat.example")
    with Device((replace(endpoint, host="127.0.0.1"),), ann, policy=HASTY) as device:
        device.start()
        closed = device.await_event(events.Closed)
        device.await_event(events.Closed, since=device.events.index(closed) + 1)
    assert closed.reason is events.CloseReason.PROTOCOL_ERROR
    assert "not valid for 'chat.example'" in closed.detail


# -- the `websockets` library over sockets of its own


def test_a_blocking_client_of_the_websockets_library_chats(served: Served) -> None:
    (ann,) = served.identities(1)
    context = ssl.create_default_context(cafile=str(served.ca))
    for carrier, trust in (("ws", None), ("wss", context)):
        url = f"{served.process.urls[carrier][0]}/v1/ws"
        with websockets.sync.client.connect(url, ssl=trust) as connection:
            connection.send(frames.encode(messages.Login(ann.secret, "phone")))
            logged_in = frames.FrameBuffer(connection.recv(60)).next_message()
            assert isinstance(logged_in, messages.LoggedIn)
            connection.send(frames.EMPTY_PING)
            assert isinstance(frames.FrameBuffer(connection.recv(60)).next_message(), messages.Pong)
            assert connection.ping().wait(60)
            connection.send([frames.EMPTY_PING[:3], frames.EMPTY_PING[3:]])
            assert isinstance(frames.FrameBuffer(connection.recv(60)).next_message(), messages.Pong)
        assert connection.close_code == 1000


def test_a_device_chats_with_a_server_of_the_websockets_library() -> None:
    heard: list[Message] = []

    def serve(connection: websockets.sync.server.ServerConnection) -> None:
        for data in connection:
            message = frames.FrameBuffer(data).next_message()
            heard.append(message)
            if isinstance(message, messages.Login):
                welcome = frames.encode(messages.LoggedIn("ann", 1, 0, 60, [], 0, "n"))
                connection.send([welcome[:5], welcome[5:20], welcome[20:]])
                connection.ping()
            elif isinstance(message, messages.Send):
                connection.send(frames.encode(messages.Sent(message.cid, 7, "ann:bob", 1, 1, 0)))

    with websockets.sync.server.serve(serve, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        endpoint = parse_target(f"chat+ws://127.0.0.1:{server.socket.getsockname()[1]}/any/path")
        with Device((endpoint,), Identity("ann", "phone", "token")) as device:
            device.log_in()
            assert device.send_and_await("bob", bytes(60_000)).mid == 7
            device.leave()
        server.shutdown()
        thread.join(60)
    assert [type(message) for message in heard] == [messages.Login, messages.Send, messages.Bye]

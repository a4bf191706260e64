"""Carriers, sans-I/O: against the server's side of ours, and against somebody else's."""

import re
import ssl
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import websockets.frames
from websockets.http11 import Request
from websockets.server import ServerProtocol

sys.path.insert(0, str(Path(__file__).parent))

from authority import Authority, Certificate

from drivers import events
from drivers.contract import Ended, Identity, Outgoing, Ponged, Session
from drivers.endpoints import Endpoint, TargetError, parse_target
from drivers.events import CloseReason, Event
from protocol import frames, messages
from protocol.messages import Login, Message, Ping, Pong
from protocol.websocket import Opcode, accept_key, encode
from refserver.access.carriers.kinds import Carrying
from refserver.access.carriers.secure_websocket import SecureWebSocketCarrying
from refserver.access.carriers.tls import TlsCarrying, server_context
from refserver.access.carriers.websocket import WebSocketCarrying

ANN = Identity("ann", "phone", "token of ann")
WELCOME = messages.LoggedIn("ann", 1, 0, 60, [], 0, "n")
PONG = frames.encode(Pong(3, 60))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> Certificate:
    return authority.issue("chat.example", "127.0.0.1")


class Conversation:
    """A session and the server's side of its carrier, joined by hand; pieces of `step` bytes."""

    def __init__(self, session: Session, server: Carrying, step: int = 1 << 20) -> None:
        self.session = session
        self.server = server
        self.events: list[Event] = []
        self.said = frames.FrameBuffer()
        self._step = step

    def run(self) -> "Conversation":
        """Until both have nothing more to say."""
        while True:
            up = self.session.take()
            for at in range(0, len(up), self._step):
                self.said.feed(self.server.receive(up[at : at + self._step]))
            down = self.server.take()
            self.hear(down)
            if not up and not down:
                return self

    def hear(self, down: bytes) -> None:
        for at in range(0, len(down), self._step):
            self.events += self.session.receive(down[at : at + self._step])

    def heard(self) -> list[Message]:
        return list(iter(self.said.next_message, None))

    def end(self) -> Ended:
        (ended,) = [event for event in self.events if isinstance(event, Ended)]
        return ended


@pytest.fixture
def converse(authority: Authority, certificate: Certificate) -> Callable[..., Conversation]:
    """`converse("wss")`: a session with its login under way, and a server."""

    def begin(carrier: str, step: int = 1 << 20, query: str = f"?ca={authority.ca}") -> Conversation:
        query = query if carrier in ("tls", "wss") else ""
        session = parse_target(f"chat+{carrier}://chat.example:1{query}").new_session()
        session.login(ANN, 0, 60)
        return Conversation(session, carrying(carrier, certificate), step)

    return begin


def carrying(carrier: str, certificate: Certificate) -> Carrying:
    if carrier == "ws":
        return WebSocketCarrying()
    context = server_context(certificate.chain, certificate.key)
    return TlsCarrying(context) if carrier == "tls" else SecureWebSocketCarrying(TlsCarrying(context))


# -- both carriers, and one within the other


@pytest.mark.parametrize("carrier", ["tls", "ws", "wss"])
@pytest.mark.parametrize("step", [1, 2, 3, 7, 1 << 20])
def test_a_conversation_is_the_same_however_it_is_cut(converse, carrier: str, step: int) -> None:
    talk = converse(carrier, step).run()
    assert [type(message) for message in talk.heard()] == [Login]
    talk.hear(talk.server.seal(frames.encode(WELCOME)))
    assert [type(event) for event in talk.events] == [events.LoggedIn]
    for _ in range(3):
        talk.session.ping()
    talk.run()
    assert talk.heard() == [Ping()] * 3
    talk.hear(talk.server.seal(PONG) + talk.server.seal(PONG))
    assert [event.version for event in talk.events if isinstance(event, Ponged)] == [3, 3]


@pytest.mark.parametrize("carrier", ["tls", "ws", "wss"])
def test_what_is_said_before_the_handshake_is_through_waits_for_it(converse, carrier: str) -> None:
    talk = converse(carrier)
    opening = talk.session.take()
    assert opening
    assert ANN.secret.encode() not in opening
    assert talk.session.take() == b""
    talk.server.receive(opening)
    talk.run()
    assert [message.token for message in talk.heard()] == [ANN.secret]


@pytest.mark.parametrize("carrier", ["tls", "ws", "wss"])
def test_a_large_message_goes_through_in_both_directions(converse, carrier: str) -> None:
    talk = converse(carrier).run()
    entry = messages.Entry(1, 2, "ann:bob", 3, "bob", "text", bytes(60_000), 4)
    page = frames.encode(messages.Pulled([entry] * 15, 1, False))
    talk.hear(talk.server.seal(frames.encode(WELCOME)) + talk.server.seal(page))
    assert len(talk.events[1].entries) == 15
    talk.session.submit(Outgoing("c", "bob", "file", bytes(65_000), 0), 1)
    talk.run()
    assert talk.heard()[1].body == bytes(65_000)


@pytest.mark.parametrize("carrier", ["tls", "ws", "wss"])
def test_a_farewell_ends_the_carrier_in_order(converse, carrier: str) -> None:
    talk = converse(carrier).run()
    talk.hear(talk.server.seal(frames.encode(WELCOME)))
    talk.session.bye()
    talk.run()
    assert [type(message) for message in talk.heard()] == [Login, messages.Bye]
    assert talk.server.is_over


@pytest.mark.parametrize("carrier", ["tls", "ws", "wss"])
def test_an_end_by_the_server_is_told_after_its_last_frame(converse, carrier: str) -> None:
    talk = converse(carrier).run()
    last = talk.server.seal(frames.encode(WELCOME)) + talk.server.seal(PONG)
    talk.server.close()
    talk.hear(last + talk.server.take())
    assert [type(event) for event in talk.events] == [events.LoggedIn, Ponged, Ended]
    assert talk.end().reason is CloseReason.EOF
    talk.session.ping()
    assert PONG not in talk.session.take()
    assert talk.session.receive(b"anything") == []


# -- certificates


def refused(authority: Authority, certificate: Certificate, host: str, query: str | None = None) -> str:
    query = f"?ca={authority.ca}" if query is None else query
    session = parse_target(f"chat+tls://{host}:1{query}").new_session()
    session.login(ANN, 0, 60)
    talk = Conversation(session, carrying("tls", certificate)).run()
    assert talk.heard() == [], "the token was sent to a server that has not shown who it is"
    assert talk.end().reason is CloseReason.PROTOCOL_ERROR
    return talk.end().detail


def test_a_certificate_for_another_name_is_refused(authority: Authority, certificate: Certificate) -> None:
    detail = refused(authority, certificate, "other.example")
    assert detail == ("certificate refused: Hostname mismatch, certificate is not valid for 'other.example'.")


def test_a_certificate_for_another_address_is_refused(authority: Authority, certificate: Certificate) -> None:
    detail = refused(authority, certificate, "127.0.0.2")
    assert detail.startswith("certificate refused: IP address mismatch")


def test_an_expired_certificate_is_refused(authority: Authority) -> None:
    expired = authority.issue("chat.example", expired=True)
    assert refused(authority, expired, "chat.example") == "certificate refused: certificate has expired"


def test_an_authority_that_nobody_trusts_is_refused(authority: Authority, certificate: Certificate) -> None:
    detail = refused(authority, certificate, "chat.example", query="")
    assert detail == "certificate refused: unable to get local issuer certificate"


def test_another_authority_of_the_same_name_is_refused(tmp_path: Path, certificate: Certificate) -> None:
    detail = refused(Authority(tmp_path), certificate, "chat.example")
    assert detail.startswith("certificate refused: ")


def test_the_name_is_that_of_the_url_whatever_it_resolves_to(authority, certificate) -> None:
    endpoint = parse_target(f"chat+tls://chat.example:1?ca={authority.ca}")
    for elsewhere in (
        replace(endpoint, host="10.0.0.1"),
        endpoint.moved("10.0.0.1", 5),
        parse_target(endpoint.moved("10.0.0.1", 5).url),
        parse_target(parse_target(endpoint.moved("10.0.0.1", 5).url).moved("::1", 6).url),
    ):
        session = elsewhere.new_session()
        session.login(ANN, 0, 60)
        talk = Conversation(session, carrying("tls", certificate)).run()
        assert [type(message) for message in talk.heard()] == [Login]


def test_a_moved_endpoint_keeps_its_label_and_what_it_asks_for() -> None:
    moved = parse_target("chat+wss://chat.example:14000/here?name=a.example").moved("::1", 9)
    assert (moved.url, moved.address) == ("chat+wss://[::1]:9/here?name=a.example", ("::1", 9))
    assert moved.label == "wss:14000"
    assert parse_target("chat+tcp://a:1").moved("b", 2).url == "chat+tcp://b:2"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_either_version_of_tls_will_do(authority, certificate, version: ssl.TLSVersion) -> None:
    context = server_context(certificate.chain, certificate.key)
    context.minimum_version = context.maximum_version = version
    session = parse_target(f"chat+tls://chat.example:1?ca={authority.ca}").new_session()
    session.login(ANN, 0, 60)
    talk = Conversation(session, TlsCarrying(context)).run()
    assert [type(message) for message in talk.heard()] == [Login]


def test_a_server_that_speaks_no_tls_is_told_so(authority) -> None:
    session = parse_target(f"chat+tls://chat.example:1?ca={authority.ca}").new_session()
    (ended,) = session.receive(frames.encode(WELCOME))
    assert ended.reason is CloseReason.PROTOCOL_ERROR
    assert ended.detail == "TLS handshake: wrong version number"


def test_a_damaged_record_ends_the_session(converse) -> None:
    talk = converse("tls").run()
    sealed = bytearray(talk.server.seal(frames.encode(WELCOME)))
    sealed[-1] ^= 1
    talk.hear(bytes(sealed))
    assert talk.end().reason is CloseReason.PROTOCOL_ERROR


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (
            "chat+tls://a:1?ca=/nowhere",
            "authorities /nowhere: No such file or directory; ?ca= needs a PEM file",
        ),
        ("chat+tls://a:1?ca=/dev/null", "authorities /dev/null: .*; ?ca= needs a PEM file"),
        ("chat+tls://a:1?authority=x", "?authority= means nothing here; ?ca=FILE and ?name=NAME do"),
        ("chat+wss://a:1?name=", "?name= needs the name that the certificate is for"),
        ("chat+tls://:1", "no host; write chat+tls://HOST:PORT"),
    ],
)
def test_a_url_that_cannot_be_used_is_one_line(url: str, words: str) -> None:
    pattern = re.escape(f"target {url!r}: {words}").replace(r"\.\*", ".*")
    with pytest.raises(TargetError, match=f"^{pattern}$"):
        parse_target(url)


# -- WebSocket, the opening


def opened(url: str = "chat+ws://chat.example:1") -> tuple[Session, dict[str, str], str]:
    """A session, the headers of its request, and the first line."""
    session = parse_target(url).new_session()
    session.login(ANN, 0, 60)
    first, *lines = session.take().decode().removesuffix("\r\n\r\n").split("\r\n")
    return session, dict(line.split(": ") for line in lines), first


def answer(key: str, **other: str | None) -> bytes:
    """A right answer, but for `other`: header names with _ for -."""
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept_key(key)}
    for name, value in other.items():
        if value is None:
            del headers[name.replace("_", "-")]
        else:
            headers[name.replace("_", "-")] = value
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 101 Switching Protocols\r\n{lines}\r\n".encode()


def test_the_request_has_what_the_rfc_asks_for_and_a_key_of_its_own() -> None:
    _, headers, first = opened("chat+ws://user:secret@chat.example:14001")
    assert first == "GET /v1/ws HTTP/1.1"
    assert headers["Host"] == "chat.example:14001"
    assert headers["Sec-WebSocket-Version"] == "13"
    assert headers["Sec-WebSocket-Key"] != opened()[1]["Sec-WebSocket-Key"]
    assert opened("chat+ws://[::1]:1/chat")[2] == "GET /chat HTTP/1.1"


def test_the_answer_may_be_written_in_any_case_and_cut_anywhere() -> None:
    whole = None
    for cut in range(400):
        session, headers, _ = opened()
        key = headers["Sec-WebSocket-Key"]
        whole = (
            f"HTTP/1.1 101 x\r\nuPGRADE:  WebSocket\r\nconnection: keep-alive, UPGRADE\r\nserver: s\r\n"
            f"SEC-websocket-accept: {accept_key(key)}\r\n\r\n"
        ).encode() + encode(Opcode.BINARY, frames.encode(WELCOME), masked=False)
        happened = session.receive(whole[:cut]) + session.receive(whole[cut:])
        assert [type(event) for event in happened] == [events.LoggedIn], cut
    assert len(whole) < 400


@pytest.mark.parametrize(
    ("spoil", "detail"),
    [
        (lambda key: b"HTTP/1.1 404 Not Found\r\n\r\n", "the server answered 404 Not Found"),
        (lambda key: b"HTTP/1.0 101 x\r\n\r\n", "the server does not speak HTTP/1.1: 'HTTP/1.0 101 x'"),
        (lambda key: b"SSH-2.0\r\n\r\n", "the server does not speak HTTP/1.1: 'SSH-2.0'"),
        (lambda key: answer("another key"), "Sec-WebSocket-Accept does not fit the key"),
        (lambda key: answer(key, Sec_WebSocket_Accept=None), "Sec-WebSocket-Accept does not fit the key"),
        (lambda key: answer(key, Upgrade="h2c"), "the answer has no Upgrade: websocket"),
        (lambda key: answer(key, Connection=None), "the answer has no Connection: Upgrade"),
        (
            lambda key: answer(key, Sec_WebSocket_Extensions="permessage-deflate"),
            "the server agreed to an extension or subprotocol that nobody offered",
        ),
        (lambda key: bytes(9000), "the answer to the handshake is over 8192 bytes"),
    ],
)
def test_a_wrong_answer_is_refused_with_a_reason(spoil: Callable[[str], bytes], detail: str) -> None:
    session, headers, _ = opened()
    (ended,) = session.receive(spoil(headers["Sec-WebSocket-Key"]))
    assert ended == Ended(CloseReason.PROTOCOL_ERROR, f"WebSocket handshake: {detail}")
    assert session.receive(answer(headers["Sec-WebSocket-Key"])) == []
    assert session.take() == b""


def test_a_server_that_breaks_the_framing_is_left_with_a_reason() -> None:
    session, headers, _ = opened()
    session.receive(answer(headers["Sec-WebSocket-Key"]))
    (ended,) = session.receive(encode(Opcode.TEXT, b"hello", masked=False))
    assert ended == Ended(CloseReason.PROTOCOL_ERROR, "WebSocket: only binary messages are understood")


# -- against the `websockets` library, sans-I/O as well


class Library:
    """A server by somebody else; every frame is a message, in pieces if so asked."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.session = endpoint.new_session()
        self.session.login(ANN, 0, 60)
        self.server = ServerProtocol()
        self.server.receive_data(self.session.take())
        (request,) = self.server.events_received()
        assert isinstance(request, Request)
        self.server.send_response(self.server.accept(request))

    def pass_on(self) -> list[Event]:
        happened: list[Event] = []
        while out := b"".join(self.server.data_to_send()):
            happened += self.session.receive(out)
            self.server.receive_data(self.session.take())
        return happened

    def heard(self) -> list[websockets.frames.Frame]:
        self.server.receive_data(self.session.take())
        return self.server.events_received()


def test_a_server_of_the_websockets_library_understands_us_and_we_it() -> None:
    library = Library(parse_target("chat+ws://chat.example:1"))
    library.pass_on()
    (login,) = library.heard()
    assert isinstance(frames.FrameBuffer(login.data).next_message(), Login)
    library.server.send_binary(frames.encode(WELCOME))
    assert [type(event) for event in library.pass_on()] == [events.LoggedIn]
    library.session.ping()
    library.session.ping()
    assert [frame.data for frame in library.heard()] == [frames.EMPTY_PING] * 2
    library.server.send_binary(PONG[:5], fin=False)
    library.server.send_ping(b"are you there")
    library.server.send_continuation(PONG[5:], fin=True)
    assert [type(event) for event in library.pass_on()] == [Ponged]
    (pong,) = library.server.events_received()
    assert (pong.opcode, pong.data) == (Opcode.PONG, b"are you there")
    library.session.submit(Outgoing("c", "bob", "file", bytes(60_000), 0), 1)
    (send,) = library.heard()
    assert len(send.data) > 60_000


def test_both_sides_of_the_websockets_library_end_in_order() -> None:
    library = Library(parse_target("chat+ws://chat.example:1"))
    library.server.send_binary(frames.encode(WELCOME))
    library.pass_on()
    library.session.bye()
    _, bye, close = library.heard()
    assert frames.FrameBuffer(bye.data).next_message() == messages.Bye()
    assert close.opcode == Opcode.CLOSE
    library = Library(parse_target("chat+ws://chat.example:1"))
    library.server.send_close(1001, "restart")
    (ended,) = library.pass_on()
    assert ended == Ended(CloseReason.EOF, "WebSocket: closed with 1001 restart")
    assert library.server.close_rcvd.code == 1000

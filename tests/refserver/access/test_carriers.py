"""TLS and WebSocket listeners of a node: what they refuse, what they survive, and that a library agrees."""

import contextlib
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import gevent.event
import gevent.socket
import pytest
import trustme
from encrypted import Encrypted, client_context
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Opcode
from websockets.http11 import Response
from websockets.uri import parse_uri

from protocol import frames
from protocol.messages import Error, GoAway, LoggedIn, Login, Message, Ping, Pong, Pushed, Send, Unread
from protocol.websocket import MAX_HANDSHAKE_BYTES, accept_key, encode
from reactor import sockets
from refserver.access import lines
from refserver.access.carriers.kinds import kinds
from refserver.access.carriers.tls import server_context
from refserver.access.carriers.websocket import WebSocketCarrying
from refserver.access.connection import State
from refserver.access.leaving import leave
from refserver.settings import ServeError, ServeSettings

PATIENCE_S = 20.0
_SOME_BYTES = 8 << 10
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
HEADERS = {
    "Host": "localhost",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
}


@pytest.fixture
def listen(node, pem) -> Callable[[str], int]:
    """`listen("ws")`: the node listens there as well; the port."""

    def open_one(scheme: str) -> int:
        kind = kinds()[scheme]
        context = server_context(pem.chain, pem.key) if kind.needs_certificate else None
        listener = sockets.listen("127.0.0.1", 0)
        port: int = listener.getsockname()[1]
        node.lines.listen(listener, lambda: kind.carry(context))
        return port

    return open_one


def dial(port: int) -> gevent.socket.socket:
    return gevent.socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)


def rest(connection: gevent.socket.socket) -> bytes:
    """Everything until the end of the stream."""
    came = b""
    while data := connection.recv(65536):
        came += data
    return came


def is_empty(node) -> bool:
    with gevent.Timeout(PATIENCE_S):
        while node.lines.count:
            gevent.sleep(0.005)
    return not node.lines._carried


class LibraryClient:
    """A client of the `websockets` library, sans-I/O, over one of our sockets."""

    def __init__(self, connection: gevent.socket.socket) -> None:
        self.socket = connection
        self.client = ClientProtocol(
            parse_uri("ws://localhost/v1/ws"), extensions=[ClientPerMessageDeflateFactory()]
        )
        self.client.send_request(self.client.connect())
        self._events: list[object] = []
        assert isinstance(self.next(), Response)
        assert self.client.handshake_exc is None
        assert self.client.extensions == []

    def flush(self) -> None:
        for data in self.client.data_to_send():
            if data:
                self.socket.sendall(data)

    def next(self) -> object:
        """The next frame, or None at the end of the stream."""
        self.flush()
        while not self._events:
            data = self.socket.recv(65536)
            if not data:
                return None
            self.client.receive_data(data)
            self._events = self.client.events_received()
            self.flush()
        return self._events.pop(0)

    def say(self, *messages: Message) -> None:
        for message in messages:
            self.client.send_binary(frames.encode(message))
        self.flush()

    def hear(self) -> Message:
        frame = self.next()
        assert frame is not None, f"closed: {self.client.close_rcvd}"
        assert frame.opcode is Opcode.BINARY, frame
        buffer = frames.FrameBuffer(frame.data)
        message = buffer.next_message()
        assert buffer.is_empty
        return message

    def login(self, signer, user: str) -> "LibraryClient":
        self.say(Login(signer.issue(user, 60), "d1"))
        assert isinstance(self.hear(), LoggedIn)
        return self

    def close(self) -> None:
        self.socket.close()

    def hear_close(self) -> tuple[int, str]:
        while self.next() is not None:
            pass
        self.close()
        return self.client.close_rcvd.code, self.client.close_rcvd.reason


@pytest.fixture
def library(listen) -> Iterator[Callable[[], LibraryClient]]:
    port = listen("ws")
    clients: list[LibraryClient] = []

    def open_one() -> LibraryClient:
        clients.append(LibraryClient(dial(port)))
        return clients[-1]

    yield open_one
    for client in clients:
        client.close()


# -- the `websockets` library


def test_a_client_of_the_websockets_library_chats(library, node, business, signer):
    client = library().login(signer, "u1")
    client.say(Ping(), Ping(), Ping(heartbeat_s=5))
    assert [type(client.hear()) for _ in range(3)] == [Pong] * 3
    client.client.send_binary(frames.encode(Send("c", "u2", "text", bytes(60_000)))[:5], fin=False)
    client.client.send_ping(b"in between")
    client.client.send_continuation(frames.encode(Send("c", "u2", "text", bytes(60_000)))[5:], fin=True)
    pong = client.next()
    assert (pong.opcode, pong.data) == (Opcode.PONG, b"in between")
    client.say(Unread())
    client.client.send_close(1000, "done")
    assert client.hear_close()[0] == 1000
    assert is_empty(node)


def test_a_fatal_error_is_a_message_before_the_close(library, node):
    client = library()
    client.say(Ping())
    error = client.hear()
    assert isinstance(error, Error)
    assert (error.code, error.fatal) == (401, True)
    assert client.hear_close()[0] == 1000
    assert is_empty(node)


def test_those_who_are_sent_away_hear_it_and_then_the_close(library, node, signer):
    client = library().login(signer, "u1")
    leaving = gevent.spawn(leave, node)
    assert isinstance(client.hear(), GoAway)
    assert client.hear_close()[0] == 1000
    leaving.join(PATIENCE_S)


@pytest.mark.parametrize(
    ("payloads", "text", "code"),
    [
        ([frames.EMPTY_PING * 2], False, 1002),
        ([frames.EMPTY_PING[:-1]], False, 1002),
        (["hello"], True, 1003),
        ([b"\xc7\x10\0\0\0\x20\0\0" + bytes(2 << 20)], False, 1009),
    ],
    ids=["two frames", "half a frame", "text", "too large"],
)
def test_messages_that_break_the_rules_close_with_their_code(library, node, payloads, text, code):
    client = library()
    for payload in payloads:
        if text:
            client.client.send_text(payload.encode())
        else:
            client.client.send_binary(payload)
    with contextlib.suppress(OSError):  # it may be closed while we are still talking
        client.flush()
    assert client.hear_close()[0] == code
    assert is_empty(node)


def test_unmasked_frames_of_a_client_are_refused_with_1002(library, node):
    client = library()
    client.socket.sendall(encode(Opcode.BINARY, frames.EMPTY_PING, masked=False))
    assert client.hear_close() == (1002, "a client must mask")
    assert is_empty(node)


def test_a_login_must_not_be_larger_than_a_login_may(library, node):
    """Before it, nobody may make us keep a megabyte, in however many pieces it comes."""
    client = library()
    client.client.send_binary(b"\xc7\x01\0\0\0\x08\0\0" + bytes(10_000), fin=False)
    client.client.send_continuation(bytes(10_000), fin=False)
    error = client.hear()
    assert (error.code, error.fatal) == (413, True)
    assert client.hear_close()[0] == 1000


# -- the opening of a WebSocket


def request(first: str = "GET /v1/ws HTTP/1.1", **other: str | None) -> bytes:
    headers = {**HEADERS, **{name.replace("_", "-"): value for name, value in other.items()}}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value is not None)
    return f"{first}\r\n{lines}\r\n".encode()


def test_an_opening_cut_at_every_byte_is_answered_the_same():
    login = frames.encode(Login("token", "d1"))
    whole = request() + encode(Opcode.BINARY, login, masked=True)
    for cut in range(len(whole) + 1):
        carrying = WebSocketCarrying()
        assert carrying.receive(whole[:cut]) + carrying.receive(whole[cut:]) == login
        answer = carrying.take().decode()
        assert answer.startswith("HTTP/1.1 101 Switching Protocols\r\n")
        assert f"Sec-WebSocket-Accept: {accept_key(KEY)}\r\n" in answer
    carrying = WebSocketCarrying()
    assert b"".join(carrying.receive(whole[at : at + 1]) for at in range(len(whole))) == login


@pytest.mark.parametrize(
    "opening",
    [
        request("GET /v1/ws?from=a-browser HTTP/1.1", Origin="https://chat.example"),
        request(Connection="keep-alive, Upgrade", Upgrade="WebSocket"),
        request(Sec_WebSocket_Extensions="permessage-deflate", Sec_WebSocket_Protocol="chat"),
    ],
)
def test_openings_as_browsers_write_them_are_taken(opening: bytes):
    carrying = WebSocketCarrying()
    carrying.receive(opening)
    answer = carrying.take()
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert b"Extensions" not in answer
    assert b"Protocol:" not in answer


@pytest.mark.parametrize(
    ("opening", "status"),
    [
        (request("POST /v1/ws HTTP/1.1"), 405),
        (b"\xc7", 405),
        (request("GET /v1/ws HTTP/1.0"), 400),
        (request("GET /v1/ws"), 400),
        (request("GET /v1/wsx HTTP/1.1"), 404),
        (request("GET / HTTP/1.1"), 404),
        (request(Host=None), 400),
        (request(Upgrade=None), 426),
        (request(Upgrade="h2c"), 426),
        (request(Connection="close"), 400),
        (request(Sec_WebSocket_Version="8"), 426),
        (request(Sec_WebSocket_Version=None), 426),
        (request(Sec_WebSocket_Key=None), 400),
        (request(Sec_WebSocket_Key="AAAA"), 400),
        (request(Sec_WebSocket_Key="not base64 at all!!!!!!!"), 400),
        (request(sec_websocket_key=KEY), 400),
        (request(Odd_Name__="x").replace(b"Odd-Name--", b"Odd Name"), 400),
        (request().replace(b"Upgrade: websocket", b" folded"), 400),
        (request(Cookie="x" * MAX_HANDSHAKE_BYTES), 431),
        (b"GET /v1/ws HTTP/1.1\r\n" + b"x: y\r\n" * 2000, 431),
    ],
)
def test_openings_that_are_none_are_refused_with_a_status(opening: bytes, status: int):
    carrying = WebSocketCarrying()
    assert carrying.receive(opening) == b""
    assert carrying.is_over
    answer = carrying.take()
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert carrying.receive(request()) == b""
    assert carrying.seal(frames.EMPTY_PING) == b""


@given(st.binary(max_size=300), st.integers(0, 250))
def test_any_opening_is_taken_without_a_fault(noise: bytes, at: int):
    whole = request()
    carrying = WebSocketCarrying()
    carrying.receive(whole[:at] + noise)
    carrying.receive(whole[at:])
    carrying.take()
    carrying.close()


def test_a_refused_opening_ends_the_connection(listen, node):
    connection = dial(listen("ws"))
    connection.sendall(request("GET /elsewhere HTTP/1.1"))
    assert rest(connection).startswith(b"HTTP/1.1 404 ")
    connection.close()
    assert is_empty(node)


# -- those who do not want to get on


@pytest.mark.parametrize("scheme", ["tls", "ws", "wss"])
@pytest.mark.parametrize("opening", [b"", b"G", b"\x16\x03\x01\x02\x00\x01"])
def test_who_opens_too_slowly_is_closed_as_late_as_one_who_does_not_log_in(
    listen, node, scheme, opening, monkeypatch
):
    """Trickling bytes is no sign of life: the time counts from accept."""
    real, trickled = sockets.read, []

    def read(fd: int, size: int = sockets.READ_BYTES) -> bytes | None:
        trickled.append(data := real(fd, size))
        return data

    connection = dial(listen(scheme))
    while not node.lines.all():
        gevent.sleep(0.001)
    (held,) = node.lines.all()
    accepted_at = node.lines.seen[held.fd] = time.monotonic() - 5
    monkeypatch.setattr(sockets, "read", read)
    if opening:
        connection.sendall(opening)
        while opening not in trickled:
            gevent.sleep(0.001)
    node._deadlines._check(held, accepted_at + 10.1)
    assert held.state is State.CLOSING
    assert b"no LOGIN" not in rest(connection)
    connection.close()
    assert is_empty(node)


def test_a_flood_of_pings_that_nobody_reads_the_answers_of_stays_small(
    listen, library, node, signer, monkeypatch
):
    monkeypatch.setattr(lines, "OWN_WORDS_BYTES", _SOME_BYTES)
    deaf = gevent.socket.socket()
    deaf.setsockopt(gevent.socket.SOL_SOCKET, gevent.socket.SO_RCVBUF, _SOME_BYTES)
    deaf.settimeout(PATIENCE_S)
    deaf.connect(("127.0.0.1", listen("ws")))
    LibraryClient(deaf).login(signer, "u1")
    (connection,) = node.lines.all()
    server_side = gevent.socket.socket(fileno=connection.fd)
    server_side.setsockopt(gevent.socket.SOL_SOCKET, gevent.socket.SO_SNDBUF, _SOME_BYTES)
    server_side.detach()
    flood = encode(Opcode.PING, bytes(125), masked=True)
    enough = gevent.event.Event()

    def flooding() -> None:
        while not enough.is_set():
            deaf.sendall(flood)
            gevent.sleep(0.0001)  # of PINGs that are read together only the last one is answered
        deaf.sendall(encode(Opcode.PING, b"the last", masked=True))

    # Once the server reads no more, a send may wait until it does: somebody else has to look.
    gevent.spawn(flooding)
    with gevent.Timeout(PATIENCE_S):
        while not connection.paused:
            gevent.sleep(0.001)
    enough.set()
    assert node.lines.backlog_bytes(connection) <= 2 * _SOME_BYTES
    other = library().login(signer, "u2")
    other.say(Ping())
    assert isinstance(other.hear(), Pong)
    came = b""
    while b"the last" not in came:  # once the answers are read, reading goes on
        came += deaf.recv(65536)
    deaf.close()


def test_a_broken_neighbour_costs_nobody_else_anything(listen, node, library, signer, caplog):
    port = listen("ws")
    steady = library().login(signer, "u1")
    for noise in (b"\x00" * 100, request() + b"\xff" * 100, request()[:40]):
        connection = dial(port)
        connection.sendall(noise)
        gevent.sleep(0.01)
        connection.close()
        steady.say(Ping())
        assert isinstance(steady.hear(), Pong)
    with gevent.Timeout(PATIENCE_S):
        while node.lines.count > 1:
            gevent.sleep(0.005)
    assert len(node.lines._carried) == 1
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


# -- TLS


def test_frames_go_through_tls_and_its_end_is_said(listen, node, pem, signer):
    connection = dial(listen("tls"))
    client = Encrypted(connection, client_context(pem))
    client.sendall(frames.encode(Login(signer.issue("u1", 60), "d1")) + frames.EMPTY_PING + frames.EMPTY_PING)
    buffer = frames.FrameBuffer()
    came: list[Message] = []
    while len(came) < 3:
        buffer.feed(client.recv(65536))
        came += iter(buffer.next_message, None)
    assert [type(message) for message in came] == [LoggedIn, Pong, Pong]
    client.sendall(frames.encode(Pushed(1)) + b"what?")
    buffer.feed(client.recv(65536))
    assert buffer.next_message().code == 400
    assert client.recv(1) == b"", "close_notify, so that a cut can be told from an end"
    connection.close()
    assert is_empty(node)


def test_a_client_that_closes_its_tls_is_gone(listen, node, pem, signer, business):
    connection = dial(listen("tls"))
    client = Encrypted(connection, client_context(pem))
    client.sendall(frames.encode(Login(signer.issue("u1", 60), "d1")))
    assert client.recv(65536)
    with pytest.raises(ssl.SSLWantReadError):
        client.tls.unwrap()
    client.flush()
    assert rest(connection)
    connection.close()
    assert is_empty(node)


def test_who_speaks_no_tls_gets_an_alert_and_the_end(listen, node):
    connection = dial(listen("tls"))
    connection.sendall(frames.encode(Login("token", "d1")))
    assert rest(connection)[:1] in (b"", b"\x15")
    connection.close()
    assert is_empty(node)


def test_old_versions_of_tls_are_refused(listen, node, pem):
    context = client_context(pem)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    connection = dial(listen("tls"))
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol.version|no protocols"):
        Encrypted(connection, context)
    connection.close()
    assert is_empty(node)


def test_a_websocket_within_tls_chats(listen, node, pem, signer):
    connection = dial(listen("wss"))
    client = LibraryClient(Encrypted(connection, client_context(pem))).login(signer, "u1")
    client.say(Ping())
    assert isinstance(client.hear(), Pong)
    client.client.send_close(1000)
    assert client.hear_close()[0] == 1000
    connection.close()
    assert is_empty(node)


# -- what a server may be asked for


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"listen": ["tls://127.0.0.1:0"]}, "tls:// needs --tls-cert FILE and --tls-key FILE"),
        ({"listen": ["https://127.0.0.1:0"]}, "https:// needs --tls-cert FILE and --tls-key FILE"),
        (
            {"listen": ["https://127.0.0.1:0"], "access_processes": 1},
            "access processes serve tcp://, tls://, ws://, wss://: give such an address or 0 processes",
        ),
        ({"listen": ["ftp://127.0.0.1:0"]}, "cannot listen on 'ftp://127.0.0.1:0': use tcp://HOST:PORT or"),
        (
            {"listen": ["ws://127.0.0.1:0"], "tls_cert": Path("c")},
            "--tls-cert and --tls-key are for https://, tls://, wss://, any:// addresses",
        ),
        (
            {"listen": ["wss://127.0.0.1:0"], "tls_cert": Path("/nowhere"), "tls_key": Path("/nowhere")},
            "certificate /nowhere with key /nowhere: No such file or directory; both have to be PEM",
        ),
    ],
)
def test_settings_that_cannot_be_are_one_line(tmp_path, asked, words):
    with pytest.raises(ServeError) as refused:
        ServeSettings(data_dir=tmp_path, **asked).check()
    assert str(refused.value).startswith(words)


def test_a_certificate_with_another_key_is_one_line(tmp_path, pem):
    trustme.CA().private_key_pem.write_to_path(tmp_path / "other.key")
    settings = ServeSettings(
        listen=["tls://127.0.0.1:0"], data_dir=tmp_path, tls_cert=pem.chain, tls_key=tmp_path / "other.key"
    )
    with pytest.raises(ServeError, match="belong together"):
        settings.check()

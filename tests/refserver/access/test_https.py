"""HTTPS: what is of TLS in it. That it serves what HTTP does is tested with HTTP itself."""

import ssl
import time
from collections.abc import Callable

import gevent
import gevent.socket
import pytest
from encrypted import Encrypted, client_context
from http_client import PATIENCE_S

from reactor import sockets
from refserver.access.carriers.kinds import carrying
from refserver.access.carriers.tls import server_context
from refserver.access.http.channel import OWN_WORDS_BYTES

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"


@pytest.fixture
def dial(http_node, pem):
    """`dial()`: a bare connection to the HTTPS port."""
    listener = sockets.listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    http_node.listen(listener, carrying(server_context(pem.chain, pem.key))["tls"])
    return lambda: gevent.socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)


def rest(connection: gevent.socket.socket) -> bytes:
    came = b""
    while data := connection.recv(65536):
        came += data
    return came


def is_empty(http_node) -> bool:
    with gevent.Timeout(PATIENCE_S):
        while http_node.count:
            gevent.sleep(0.005)
    return True


@pytest.mark.parametrize("words", [HEALTH, b"\x00" * 100, b"\x16\x03\x01\x00\x05hello"])
def test_who_speaks_no_tls_gets_an_alert_and_the_end(dial, http_node, words):
    connection = dial()
    connection.sendall(words)
    said = rest(connection)
    assert said[:1] in (b"", b"\x15"), said
    connection.close()
    assert is_empty(http_node)


def test_a_handshake_that_is_cut_off_leaves_nothing(dial, http_node, pem):
    outgoing = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        client_context(pem).wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="127.0.0.1").do_handshake()
    hello = outgoing.read()
    for size in (1, 5, 60, len(hello)):
        connection = dial()
        connection.sendall(hello[:size])
        gevent.sleep(0.005)
        connection.close()
    assert is_empty(http_node)


def test_the_end_of_the_clients_tls_is_answered_and_is_the_end(dial, http_node, pem):
    client = Encrypted(dial(), client_context(pem))
    client.sendall(HEALTH)
    assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
    with pytest.raises(ssl.SSLWantReadError):
        client.tls.unwrap()
    client.flush()
    assert rest(client.socket)[:1] == b"\x17"
    client.close()
    assert is_empty(http_node)


def test_a_poll_whose_client_ends_its_tls_is_over(dial, http_node, pem, signer, business):
    client = Encrypted(dial(), client_context(pem))
    token = signer.issue("u1", 60)
    poll = f"GET /v1/inbox?wait_s=60 HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\n\r\n"
    client.tls.write(poll.encode())
    with pytest.raises(ssl.SSLWantReadError):
        client.tls.unwrap()
    client.flush()
    assert is_empty(http_node)
    assert (http_node.calls_under_way, business.nodes["u1"]) == (0, [])
    client.close()


def test_whoever_is_closed_while_idle_is_told_by_tls(dial, http_node, pem):
    client = Encrypted(dial(), client_context(pem))
    client.sendall(HEALTH)
    assert client.recv(65536)
    http_node.drain()
    assert client.recv(1) == b"", "close_notify, so that a cut can be told from an end"
    client.close()


def test_an_answer_that_is_taken_slowly_comes_whole(dial, pem, signer, business, monkeypatch):
    def write(fd: int, data: bytes) -> int:
        return sockets_write(fd, data[:700])

    sockets_write = sockets.write
    monkeypatch.setattr(sockets, "write", write)
    for number in range(60):
        business.put("u1", b"%d" % number * 500)
    client = Encrypted(dial(), client_context(pem))
    head = f"GET /v1/inbox HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {signer.issue('u1', 60)}\r\n"
    client.sendall(head.encode() + b"Connection: close\r\n\r\n")
    came = b""
    while data := client.recv(65536):
        came += data
    header, _, body = came.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in header
    assert len(body) > 30_000
    client.close()


class Talkative:
    """A carrier that answers all it hears tenfold."""

    is_over = False

    def __init__(self) -> None:
        self.answer = b""

    def receive(self, data: bytes) -> bytes:
        self.answer += data * 10
        return b""

    def seal(self, frame: bytes) -> bytes:
        return frame

    def take(self) -> bytes:
        answer, self.answer = self.answer, b""
        return answer

    def close(self) -> None:
        pass


def send_until(is_enough: Callable[[], bool], connection: gevent.socket.socket) -> int:
    """How many bytes were taken by then."""
    taken = 0

    def send() -> None:
        nonlocal taken
        while taken < 64 << 20:
            taken += connection.send(bytes(4096))

    sending = gevent.spawn(send)
    with gevent.Timeout(PATIENCE_S):
        while not is_enough():
            gevent.sleep(0.001)
    sending.kill()
    return taken


def test_a_carrier_whose_answers_nobody_reads_is_given_no_more_to_answer(http_node):
    ours, theirs = gevent.socket.socketpair()
    exchange = http_node.adopt(ours.detach(), time.monotonic(), Talkative())
    theirs.settimeout(PATIENCE_S)
    taken = send_until(lambda: exchange.channel.is_choked, theirs)
    assert len(exchange.channel._unsent) < 10 * sockets.READ_BYTES + OWN_WORDS_BYTES
    theirs.shutdown(gevent.socket.SHUT_WR)
    assert len(rest(theirs)) == taken * 10, "whoever reads gets it all after all"
    theirs.close()
    assert is_empty(http_node)

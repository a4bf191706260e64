"""Attacks on a whole server: others go on talking, memory stays bounded, and nothing is left behind."""

import contextlib
import select
import time

import gevent
import pytest
import zstandard
from besieged import Server, address, siege, wait_until
from chat_client import ChatClient
from gevent import socket

from conformance.hostile.attack import matching
from conformance.hostile.ground import Ground, frame
from protocol import frames
from protocol.limits import MAX_INFLATED_BODY_BYTES, MAX_MESSAGE_BODY_BYTES
from protocol.messages import Error, Item, Login, Send, SendPackage, encode_body
from reactor import sockets
from refserver import accounts
from refserver.process import ServerProcess
from refserver.settings import raise_descriptor_limit

MB = 1_000_000
IDLE = 10_000


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    data_dir = tmp_path_factory.mktemp("besieged")
    accounts.add(data_dir, ["talker", "listener", "attacker", "friend"])
    accounts.befriend(data_dir, ["talker", "listener"])
    accounts.befriend(data_dir, ["attacker", "friend"])
    raise_descriptor_limit()
    with ServerProcess(data_dir) as process:
        yield Server(process)
    log = process.log_path.read_text()
    assert "Traceback" not in log, log
    assert "fault of this server" not in log, log


def test_those_who_never_finish_are_ended_by_the_server(server):
    """10,000 connections that say nothing; logins and HTTP headers that come byte by byte."""
    login = frames.encode(Login(server.token("attacker"), "d"))
    header = b"GET /v1/inbox HTTP/1.1\r\nHost: x\r\nX-Patience: " + b"x" * 1000
    tcp, http = address(server.process.tcp_urls[0]), address(server.process.http_url)
    with siege(server) as result, contextlib.ExitStack() as ends:
        idle = []
        for number in range(IDLE):
            idle.append(sockets.start_connect(tcp))
            if number % 200 == 0:
                gevent.sleep(0)
        ends.callback(lambda: [sockets.close(fd) for fd in idle])
        lorises = [gevent.spawn(drip, tcp, login) for _ in range(100)]
        lorises += [gevent.spawn(drip, http, header) for _ in range(100)]
        wait_until(
            lambda: server.descriptors > IDLE or server.descriptors + ended(idle) > IDLE,
            "all idle connections are accepted",
        )
        gevent.joinall(lorises, raise_error=True)
        assert {loris.value for loris in lorises} == {401, 408}
    assert result.grown_bytes < 60 * MB, "6 kB a connection"


def ended(connections: list[int]) -> int:
    """How many of them the server has had enough of; a slow machine still accepts the last ones by then."""
    poll = select.poll()
    for fd in connections:
        poll.register(fd, select.POLLIN)
    return len(poll.poll(0))


def drip(to: tuple[str, int], data: bytes) -> int:
    """Sends byte by byte until the server has had enough; the code that it says then."""
    with socket.create_connection(to) as connection:
        connection.settimeout(0.3)
        heard, byte = b"", 0
        while True:
            with contextlib.suppress(ConnectionError):
                connection.send(data[byte : byte + 1])
            byte += 1
            try:
                more = connection.recv(65536)
            except TimeoutError:
                continue
            except ConnectionResetError:
                more = b""
            heard += more
            if not more:
                break
    if heard.startswith(b"HTTP/1.1 "):
        return int(heard[9:12])
    buffer = frames.FrameBuffer(heard)
    error = buffer.next_message()
    assert isinstance(error, Error), error
    return error.code


def test_bombs_are_not_inflated(server):
    declared = zstandard.compress(bytes(100 * MB))
    undeclared = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(100 * MB))
    with siege(server) as result:
        for number in range(40):
            client = server.client("attacker", f"d{number}", features=["zstd"])
            client.send_bytes(frame(0x10, (declared, undeclared)[number % 2], flags=1))
            client.expect_error(413)
            client.close()
    assert result.grown_bytes < 40 * MB


def test_messages_that_inflate_to_the_limit_of_a_frame_do_not_pile_up(server):
    """A kilobyte on the wire that is 8 MiB in memory, 400 times before the first answer is read."""
    body = bytes(MAX_INFLATED_BODY_BYTES - 100)
    huge = [
        frame(message.TYPE, zstandard.compress(encode_body(message)), flags=1)
        for message in (
            Send("huge", "friend", "text", body),
            SendPackage("huge", "friend", [Item("text", body)]),
        )
    ]
    allowed = [Item("text", bytes(MAX_MESSAGE_BODY_BYTES))] * 100
    package = frame(0x12, zstandard.compress(encode_body(SendPackage("whole", "friend", allowed))), flags=1)
    with siege(server) as result:
        client = server.client("attacker", features=["zstd"])
        for data in huge:
            client.send_bytes(data * 200)
            for _ in range(200):
                refusal = client.expect(Error)
                assert (refusal.code, refusal.cid, refusal.fatal) == (413, "huge", False)
        client.send_bytes(package * 100)
        for _ in range(100):
            assert client.receive().cid == "whole"
        client.close()
    assert result.grown_bytes < 150 * MB


def test_who_sends_and_does_not_read_is_not_read_either(server):
    results = []
    for _ in range(2):
        with siege(server) as result:
            clients = [server.client("attacker", f"d{number}") for number in range(4)]
            gevent.joinall([gevent.spawn(flood, client) for client in clients], raise_error=True)
            for client in clients:
                client.close()
        results.append(result)
    assert results[0].grown_bytes < 150 * MB
    assert results[1].kept_bytes < 20 * MB, "what the first flood took serves the second"


def flood(client: ChatClient) -> None:
    """Messages until the server has not taken one for a second, but no longer than two."""
    client.socket.settimeout(1.0)
    deadline = time.monotonic() + 2
    number = 0
    with contextlib.suppress(TimeoutError):
        while time.monotonic() < deadline:
            client.send(*(Send(f"f{number + n}", "friend", "text", bytes(4096)) for n in range(16)))
            number += 16


def test_of_who_is_unknown_no_more_than_a_login_is_kept(server):
    patient, too_much = server.client(), server.client()
    patient.send_bytes(frame(Login.TYPE, bytes(15_000), announced=1 << 20))
    too_much.send_bytes(frame(Login.TYPE, bytes(17_000), announced=1 << 20))
    too_much.expect_error(413)
    assert patient.hears_nothing()
    for client in (patient, too_much):
        client.close()


@pytest.mark.parametrize("name", ["half_frames", "slow_readers", "tiny_frames"])
def test_an_attack_of_the_suite_costs_no_more_than_it_may(server, name):
    (attack,) = matching(name)
    process = server.process
    tokens = {user: server.token(user) for user in ("attacker", "friend")}
    with siege(server) as result:
        ground = Ground(address(process.tcp_urls[0]), address(process.http_url), tokens)
        try:
            # In a thread: it waits, and the two who talk are greenlets of this one.
            gevent.get_hub().threadpool.apply(attack.run, (ground,))
        finally:
            gevent.get_hub().threadpool.apply(ground.close)
    assert result.grown_bytes < attack.limit_bytes

"""What the data path does with descriptors, in this process, where it can be watched."""

import contextlib
import errno
import os
import select
import socket
from collections.abc import Iterator

import gevent
import gevent.event
import pytest

from chaos.toxics import toxic_types
from chaos.toxiproxy import addresses, proxy
from chaos.toxiproxy.connection import Connection
from chaos.toxiproxy.dial import Dial
from chaos.toxiproxy.engine import Engine
from chaos.toxiproxy.proxy import Proxy
from chaos.toxiproxy.toxic import Toxic
from reactor import sockets
from tests.chaos.conftest import PATIENCE_S


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine(1)
    yield made
    made.close()


def _pair() -> tuple[socket.socket, int]:
    """A peer, and the descriptor of the other end."""
    peer, other = socket.socketpair()
    peer.settimeout(PATIENCE_S)
    other.setblocking(False)
    return peer, other.detach()


def _until(condition: object) -> None:
    assert callable(condition)
    with gevent.Timeout(PATIENCE_S):
        while not condition():
            gevent.sleep(0.001)


def test_a_hang_up_that_nobody_reads_is_not_reported_over_and_over(engine: Engine) -> None:
    calls: list[int] = []
    (client, near), (server, far) = _pair(), _pair()
    connection = Connection(engine, "k", near, far, lambda connection: None)
    type_ = toxic_types()["slow_close"]
    held = Toxic(type_, "held", "upstream", 1, type_.attributes(delay=3_600_000))
    ready = connection.upstream.ready

    class Counted:
        def __call__(self, mask: int) -> None:
            calls.append(mask)
            ready(mask)

    connection.start([held])
    engine.ignore(near)
    engine.add(near, Counted())
    client.close()
    _until(lambda: len(calls) >= 2)
    for _ in range(20):
        gevent.sleep(0)
    assert len(calls) == 2, "the end, then the hang-up once"
    assert calls[1] & select.EPOLLHUP
    connection.upstream.remove_toxic(held)
    server.settimeout(PATIENCE_S)
    assert connection.closed
    server.close()


def test_a_closed_descriptor_is_not_given_out_while_its_events_are_in_hand(engine: Engine) -> None:
    (client, near), (server, far) = _pair(), _pair()
    fresh: list[int] = []

    def closed(connection: Connection) -> None:
        fresh.append(socket.socket().detach())

    connection = Connection(engine, "k", near, far, closed)
    connection.start([])
    client.shutdown(socket.SHUT_WR)
    _until(lambda: fresh)
    assert fresh[0] not in (near, far)
    assert (client.recv(1), server.recv(1)) == (b"", b""), "closed when the batch was done"
    os.close(fresh[0])
    client.close()
    server.close()


def test_the_end_waits_for_what_the_sink_has_not_taken_yet(engine: Engine) -> None:
    (client, near), (server, far) = _pair(), _pair()
    connection = Connection(engine, "k", near, far, lambda connection: None)
    type_ = toxic_types()["latency"]
    late = Toxic(type_, "late", "upstream", 1, type_.attributes(latency=3_600_000))
    connection.start([late])
    client.setblocking(False)
    sent = 0
    while sent < 2_000_000:
        with contextlib.suppress(BlockingIOError):
            sent += client.send(bytes(50_000))
        gevent.sleep(0)
    client.shutdown(socket.SHUT_WR)
    _until(lambda: connection.upstream.received_bytes == sent)
    for _ in range(10):
        gevent.sleep(0.001)
    connection.upstream.remove_toxic(late)
    connection.upstream.settle()
    received = 0
    server.setblocking(False)
    while True:
        gevent.sleep(0)
        with contextlib.suppress(BlockingIOError):
            data = server.recv(65536)
            received += len(data)
            if not data:
                break
    assert received == sent
    client.close()
    server.close()


def test_the_next_address_is_tried_when_one_does_not_answer(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as upstream, socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        ways = [deaf.getsockname(), upstream.getsockname()]
        monkeypatch.setattr(addresses, "resolve_all", lambda address: list(ways))
        done: gevent.event.AsyncResult[int | None] = gevent.event.AsyncResult()
        Dial(engine, 0, -1, lambda dial, fd: done.set(fd)).start("somewhere:1")
        fd = done.get(timeout=PATIENCE_S)
        assert fd is not None
        with socket.socket(fileno=fd) as reached:
            assert reached.getpeername() == ways[1]


def test_without_descriptors_connections_wait_until_there_are_some(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy, "ACCEPT_PAUSE_S", 0.01)
    refusals = [OSError(errno.EMFILE, "Too many open files")] * 2

    def accept(listener: socket.socket) -> list[int]:
        if refusals:
            raise refusals.pop()
        return accept_batch(listener)

    accept_batch = sockets.accept_batch
    monkeypatch.setattr(sockets, "accept_batch", accept)
    with socket.create_server(("127.0.0.1", 0)) as upstream:
        made = Proxy(engine, "p", "127.0.0.1:0", f"127.0.0.1:{upstream.getsockname()[1]}")
        made.start(("127.0.0.1", 0))
        host, port = made.listen.split(":")
        with socket.create_connection((host, int(port))) as client:
            upstream.setblocking(False)
            _until(lambda: not refusals and select.select([upstream], [], [], 0)[0])
            made.stop()
            client.settimeout(PATIENCE_S)
            assert client.recv(1) == b""


def test_a_resolution_that_is_under_way_dies_with_its_proxy(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = gevent.event.Event()

    def never(address: str) -> list[tuple[str, int]]:
        asked.set()
        gevent.sleep(3600)
        return []

    monkeypatch.setattr(addresses, "resolve_all", never)
    made = Proxy(engine, "p", "127.0.0.1:0", "far.away:1")
    made.start(("127.0.0.1", 0))
    host, port = made.listen.split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as client:
        assert asked.wait(PATIENCE_S)
        made.stop()
        assert client.recv(1) == b""

"""Hostile peers, and a machine at its limits: the node stays, and logs no fault of its own."""

import errno
import os
import random

import gevent
import pytest

from protocol import frames
from protocol.messages import FROM_CLIENT, History, Login, Ping, Pong, Pull, Pushed, Read, Send, Unread
from reactor import sockets
from refserver.access import acceptor
from refserver.access.deadlines import Deadlines


@pytest.mark.parametrize("seed", range(4))
def test_damaged_streams_cost_only_their_connection(connect, signer, node, business, caplog, seed):
    chance = random.Random(seed)
    talk = [
        Login(signer.issue("u1", 60), f"d{seed}", features=["zstd"]), Ping(), Ping(heartbeat_s=5),
        Send("c", "u2", "text", b"x" * 50), Pull(0, 5), Pushed(3), Read("a:b", 1), Unread(),
        History("a:b", 0, 5),
    ]  # fmt: skip
    stream = b"".join(map(frames.encode, talk))
    login_bytes = len(frames.encode(talk[0]))
    for _ in range(100):
        damaged = bytearray(stream)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(login_bytes * chance.randint(0, 1), len(damaged))] = chance.randrange(
                256
            )
        client = connect()
        client.send_bytes(bytes(damaged[: chance.randint(1, len(damaged))]))
        gevent.sleep(0)
        client.close()
    alive = connect("u9")
    alive.send(Ping())
    assert isinstance(alive.receive(), Pong)
    while node.lines.count > 1:
        gevent.sleep(0.01)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
    assert business.nodes["u1"] == []


@pytest.mark.parametrize("kind", sorted(FROM_CLIENT))
def test_any_body_for_any_type(connect, caplog, kind):
    chance = random.Random(kind)
    for _ in range(20):
        client = connect("u1")
        body = chance.randbytes(chance.randint(0, 40))
        client.send_bytes(bytes((0xC7, kind, 0, 0)) + len(body).to_bytes(4, "big") + body)
        client.send(Ping())
        gevent.sleep(0)
        client.close()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_without_descriptors_accepting_pauses_and_says_so_once(monkeypatch, connect, caplog):
    monkeypatch.setattr(acceptor, "ACCEPT_AGAIN_S", 0.05)
    real, refusals = sockets.accept_batch, []

    def full(listener, limit=256):
        if len(refusals) < 3:
            refusals.append(1)
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return real(listener, limit)

    monkeypatch.setattr(sockets, "accept_batch", full)
    client = connect("u1")
    client.send(Ping())
    client.expect(Pong)
    said = [record.message for record in caplog.records]
    assert said == ["not accepting connections for now: Too many open files", "accepting connections again"]


def test_a_server_that_was_stopped_does_not_blame_its_clients(monkeypatch, connect, node):
    """What was sent in time lies in the kernel while the whole process stands still."""
    client = connect("u1", heartbeat_s=1)
    number = node.lines.all()[0].number
    client.send(Ping())
    # As if the timers came first after a long sleep: nothing has been read since.
    connection = node.lines.get(number)
    node.lines.seen[connection.fd] -= 100
    deadlines: Deadlines = node._deadlines
    deadlines._check(connection, node.lines.seen[connection.fd] + 100)
    assert node.lines.get(number) is connection
    client.expect(Pong)


def test_timely_logins_survive_a_stopped_server_too(connect, signer, node):
    client = connect()
    while not node.lines.all():
        gevent.sleep(0.001)
    (connection,) = node.lines.all()
    client.send_bytes(frames.encode(Login(signer.issue("u1", 60), "d1")))
    node.lines.seen[connection.fd] -= 100
    node._deadlines._check(connection, node.lines.seen[connection.fd] + 100)
    assert client.receive().user == "u1"

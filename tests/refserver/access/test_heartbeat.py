"""Heartbeat (rules 5 and 6): answered, negotiated, and the only reason why silence ends a connection."""

import time

import gevent
import pytest
from chat_client import PATIENCE_S

from protocol import frames
from protocol.frames import EMPTY_PING
from protocol.limits import silence_limit_s
from protocol.messages import Ping, Pong, Pull, Pulled, Push, Pushed
from refserver.access.node import PAGES_UNDER_WAY


def test_pong_carries_the_newest_version_known(business, connect):
    client = connect("u1", heartbeat_s=30)
    client.send(Ping())
    assert client.expect(Pong) == Pong(0, 30)
    business.put("u1", b"x")
    assert client.expect(Push).version == 1
    client.send(Pushed(1), Ping())
    assert client.expect(Pong) == Pong(1, 30)


@pytest.mark.parametrize(("asked", "agreed"), [(0, 60), (1, 1), (45, 45), (3600, 3600)])
def test_the_interval_is_negotiated_at_login(connect, asked, agreed):
    client = connect("u1", heartbeat_s=asked)
    client.send(Ping())
    assert client.expect(Pong).heartbeat_s == agreed


def test_the_interval_changes_on_a_live_connection(connect):
    client = connect("u1", heartbeat_s=3600)
    client.send(Ping(heartbeat_s=2))
    assert client.expect(Pong).heartbeat_s == 2
    client.send(Ping())
    assert client.expect(Pong).heartbeat_s == 2
    client.send(Ping(heartbeat_s=0))
    assert client.expect(Pong).heartbeat_s == 60


def test_a_silent_connection_is_closed_and_forgotten(connect, business):
    client = connect("u1", heartbeat_s=1)
    started = time.monotonic()
    assert client.receive() is None
    assert time.monotonic() - started >= silence_limit_s(1) - 0.2
    assert business.nodes["u1"] == []


def test_a_shorter_interval_counts_from_now_on(connect, node):
    client = connect("u1", heartbeat_s=3600)
    (connection,) = node.lines.all()
    # As when the time for a login is over: it is armed for its heartbeats from then on.
    node._deadlines._check(connection, time.monotonic())
    assert node._deadlines._armed_for[connection.fd] > time.monotonic() + 100
    client.send(Ping(heartbeat_s=1))
    client.expect(Pong)
    assert client.receive() is None


def test_a_longer_interval_counts_from_now_on(connect, business):
    client = connect("u1", heartbeat_s=1)
    client.send(Ping(heartbeat_s=60))
    client.expect(Pong)
    gevent.sleep(silence_limit_s(1) + 0.5)
    client.send(Ping())
    client.expect(Pong)


@pytest.mark.parametrize("sign", [EMPTY_PING, frames.encode(Pushed(0))], ids=["ping", "any frame"])
def test_any_frame_is_a_sign_of_life(connect, node, sign):
    client = connect("u1", heartbeat_s=1)
    (connection,) = node.lines.all()
    seen = node.lines.seen
    # As if nothing had been heard for long: so it does not matter how quick this machine is.
    seen[connection.fd] -= 100
    said_at = time.monotonic()
    client.send_bytes(sign)
    with gevent.Timeout(PATIENCE_S):
        while seen[connection.fd] < said_at:
            gevent.sleep(0.001)
    node._deadlines._check(connection, said_at + silence_limit_s(1) - 0.1)
    assert node.lines.get(connection.number) is connection
    client.send(Ping())
    client.expect(Pong)


def test_waiting_for_business_is_not_silence(connect, business):
    client = connect("u1", heartbeat_s=1)
    business.hold = True
    client.send(*[Pull(0, 1)] * (PAGES_UNDER_WAY + 1))
    gevent.sleep(2 * silence_limit_s(1))
    business.release()
    for _ in range(PAGES_UNDER_WAY + 1):
        client.expect(Pulled)


def test_a_heartbeat_costs_at_most_sixteen_bytes_of_payload(connect, business):
    client = connect("u1", heartbeat_s=3600)
    business.inboxes["u1"] += [None] * 100_000
    client.send(Ping())
    kind, body = client.next_frame()
    assert kind == Pong.TYPE
    assert len(body) <= 16

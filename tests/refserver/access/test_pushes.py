"""Pushes: in version order, to all devices but the sender's, again until PUSHED (rule 3)."""

import time

import gevent
import pytest

from protocol.messages import GoAway, Ping, Pong, Push, Pushed, ReadUpdate
from refserver.access import deadlines, window


@pytest.fixture
def impatient(monkeypatch):
    """Retransmission in tenths of a second instead of seconds."""
    for module in (deadlines, window):
        monkeypatch.setattr(module, "RETRANSMIT_START_S", 0.1)


def test_every_device_gets_every_entry_in_order(business, connect):
    devices = [connect("u1", device=name) for name in ("phone", "tablet", "desk")]
    for number in range(20):
        business.put("u1", b"%d" % number)
    for device in devices:
        assert [device.expect(Push).version for _ in range(20)] == list(range(1, 21))


def test_a_first_attempt_carries_no_attempt_number(business, connect):
    client = connect("u1")
    business.put("u1", b"x")
    kind, body = client.next_frame()
    assert (kind, body[0]) == (Push.TYPE, 0x98), "an array of the eight fields of PUSH"


def test_the_connection_that_sent_gets_no_echo_but_knows_the_version(node, business, connect):
    sender, other = connect("u1", device="d1"), connect("u1", device="d2")
    own = next(c for c in node.lines.all() if c.device == "d1")
    entry = business.put("u2", b"x")
    node.push("u1", entry, own.number)
    assert other.expect(Push).version == 1
    sender.send(Ping())
    assert sender.expect(Pong).version == 1


def test_a_push_without_answer_comes_again_on_the_real_clock(business, connect):
    client = connect("u1")
    business.put("u1", b"x")
    assert client.expect(Push).attempt == 1
    assert client.expect(Push).attempt == 2, "after 2 s"


def test_a_push_is_repeated_with_its_attempt_number_and_then_given_up(impatient, business, connect, node):
    client = connect("u1")
    business.put("u1", b"x")
    assert [client.expect(Push).attempt for _ in range(5)] == [1, 2, 3, 4, 5]
    connection = node.lines.all()[0]
    while connection.window is not None:
        gevent.sleep(0.01)
    client.send(Ping())
    assert client.expect(Pong).version == 1, "no sixth attempt; PONG still tells what is missing"


def test_pushed_is_cumulative(monkeypatch, business, connect, node):
    for module in (deadlines, window):
        monkeypatch.setattr(module, "RETRANSMIT_START_S", 3600.0)
    client = connect("u1")
    for number in range(3):
        business.put("u1", b"%d" % number)
    for _ in range(3):
        client.expect(Push)
    client.send(Pushed(2), Ping())
    client.expect(Pong)
    # As if an hour had passed: a slow machine repeats nothing in the meantime.
    node._push_again(node.lines.all()[0], time.monotonic() + 3600)
    repeat = client.expect(Push)
    assert (repeat.version, repeat.attempt) == (3, 2)
    client.send(Pushed(3))


def test_acknowledging_the_future_does_not_acknowledge_what_is_pushed_later(impatient, business, connect):
    client = connect("u1")
    client.send(Pushed(2**63 - 1), Ping())
    client.expect(Pong)
    business.put("u1", b"x")
    assert client.expect(Push).attempt == 1
    assert client.expect(Push).attempt == 2


def test_an_acknowledged_push_leaves_nothing_behind(impatient, business, connect, node):
    client = connect("u1")
    business.put("u1", b"x")
    client.send(Pushed(client.expect(Push).version))
    connection = node.lines.all()[0]
    while connection.window is not None:
        gevent.sleep(0.01)
    assert (connection.out, connection.buffer, connection.held) == (None, None, None)


def test_what_is_told_goes_to_the_other_devices(node, connect):
    reader, other = connect("u1", device="d1"), connect("u1", device="d2")
    own = next(c for c in node.lines.all() if c.device == "d1")
    node.tell("u1", ReadUpdate("a:b", 3, 0, 0), own.number)
    assert other.expect(ReadUpdate).sequence == 3
    reader.send(Ping())
    reader.expect(Pong)


def test_the_same_device_again_replaces_the_older_connection(connect, business):
    older = connect("u1", device="d1")
    bystander = connect("u1", device="d2")
    newer = connect("u1", device="d1")
    assert older.expect(GoAway).reason == "replaced"
    assert older.receive() is None
    for client in (newer, bystander):
        client.send(Ping())
        client.expect(Pong)
    assert len(business.nodes["u1"]) == 2


def test_a_replaced_connection_is_told_why_although_it_keeps_talking(connect):
    older = connect("u1", device="d1")
    older.send(*[Ping()] * 1000)
    connect("u1", device="d1")
    older.send(*[Ping()] * 1000)
    while isinstance(message := older.receive(), Pong):
        pass
    assert isinstance(message, GoAway)


def test_a_push_to_nobody_here_is_no_error(node, business):
    entry = business.put("u9", b"x")
    node.push("u9", entry)
    node.tell("u9", ReadUpdate("a:b", 1, 0, 0), None)
    node.replaced("u9", "d", None)
    node.reply(12345, Pong(0, 1))
    node.attached(12345, 1)

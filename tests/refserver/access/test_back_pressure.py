"""A reader that does not read, and a sender that does not stop, are bounded (rule 8)."""

import gevent

from protocol.limits import SLOW_READER_BYTES
from protocol.messages import Ping, Pong, Pull, Pulled, Push, Pushed, Send, Sent
from refserver.access.node import BACKLOG_BYTES, PAGES_UNDER_WAY, REQUESTS_UNDER_WAY


def turns(count: int = 50) -> None:
    for _ in range(count):
        gevent.sleep(0.001)


def test_pushes_to_a_reader_that_stalls_are_dropped_and_can_be_pulled(connect, business, node):
    client = connect("u1")
    for _ in range(400):
        business.put("u1", b"x" * 20_000)
    turns()
    (connection,) = node.lines.all()
    assert node.lines.backlog_bytes(connection) <= SLOW_READER_BYTES
    assert connection.window.size_bytes <= SLOW_READER_BYTES
    pushed = client.expect(Push).version
    assert pushed == 1
    client.send(Ping())
    while not isinstance(message := client.receive(), Pong):
        pushed = message.version
    assert pushed < message.version == 400, "what was dropped is known from PONG"
    while pushed < 400:
        client.send(Pull(pushed, 1000))
        while not isinstance(message := client.receive(), Pulled):
            pass
        assert message.entries[0].version == pushed + 1
        pushed = message.entries[-1].version


def test_acknowledging_without_reading_gains_nothing(connect, business, node):
    client = connect("u1")
    (connection,) = node.lines.all()
    for version in range(1, 1001):
        business.put("u1", b"x" * 20_000)
        if version % 20 == 0:
            client.send(Pushed(version))
            turns(3)
        assert node.lines.backlog_bytes(connection) <= SLOW_READER_BYTES


def test_at_most_a_thousand_pushes_wait_for_their_acknowledgement(connect, business, node):
    client = connect("u1")
    for number in range(1500):
        business.put("u1", b"%d" % number)
    (connection,) = node.lines.all()
    assert len(connection.window) == 1000
    assert [client.expect(Push).version for _ in range(1000)] == list(range(1, 1001))


def test_a_client_that_does_not_read_its_answers_is_not_read(connect, business, node):
    client = connect("u1")
    for _ in range(30):
        business.inboxes["u1"].append(business.put("u2", b"x" * 30_000))
    client.send(*[Pull(0, 30)] * 1000)
    turns(200)
    (connection,) = node.lines.all()
    page_bytes = 1 << 20
    assert connection.paused
    assert node.lines.backlog_bytes(connection) <= BACKLOG_BYTES + (PAGES_UNDER_WAY + 1) * page_bytes
    assert len(business.requests) < 100
    for _ in range(1000):
        client.expect(Pulled)


def test_requests_under_way_are_bounded_and_none_is_forgotten(connect, business, node):
    client = connect("u1")
    business.hold = True
    client.send(*[Send(f"c{number}", "u2", "text", b"x") for number in range(1000)])
    turns()
    assert len(business.requests) == REQUESTS_UNDER_WAY
    assert node.requests_under_way == REQUESTS_UNDER_WAY
    business.release()
    assert [client.expect(Sent).cid for _ in range(1000)] == [f"c{number}" for number in range(1000)]
    assert node.requests_under_way == 0


def test_requests_of_a_connection_that_is_gone_are_forgotten(connect, business, node):
    client = connect("u1")
    business.hold = True
    client.send(*[Send(f"c{number}", "u2", "text", b"x") for number in range(10)])
    turns()
    client.close()
    turns()
    assert node.requests_under_way == 0
    business.release()
    assert node.lines.count == 0


def test_answers_of_one_batch_leave_in_one_write(connect, business, monkeypatch):
    from reactor import sockets

    client = connect("u1")
    writes = []
    real = sockets.write
    monkeypatch.setattr(sockets, "write", lambda fd, data: writes.append(len(data)) or real(fd, data))
    client.send(*[Ping()] * 50)
    for _ in range(50):
        client.expect(Pong)
    assert len(writes) == 1

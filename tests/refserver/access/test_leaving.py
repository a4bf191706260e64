"""Draining (SCL.4): what was asked is answered, everybody is told, nobody new is let in."""

import gevent
import pytest

from protocol.messages import GoAway, Ping, Pong, Send, Sent
from refserver.access.leaving import leave


def test_requests_under_way_are_answered_before_the_farewell(node, connect, business):
    client = connect("u1")
    business.hold = True
    client.send(Send("c1", "u2", "text", b"x"))
    client.hears_nothing()
    leaving = gevent.spawn(leave, node)
    assert client.hears_nothing()
    business.release()
    assert client.expect(Sent).cid == "c1"
    away = client.expect(GoAway)
    assert (away.reason, away.retry_after_ms > 0) == ("draining", True)
    assert client.receive() is None
    client.close()
    leaving.join()
    assert business.nodes["u1"] == []


def test_who_says_nothing_yet_is_closed_and_nobody_new_comes_in(node, connect, port):
    client, unknown = connect("u1"), connect()
    client.send(Ping())
    client.expect(Pong)
    leaving = gevent.spawn(leave, node)
    client.expect(GoAway)
    assert unknown.receive() is None
    with pytest.raises(ConnectionError):
        connect()
    client.close()
    leaving.join()


def test_clients_are_told_different_times(node, connect):
    clients = [connect(f"u{number}") for number in range(10)]
    leaving = gevent.spawn(leave, node)
    assert len({client.expect(GoAway).retry_after_ms for client in clients}) > 3
    for client in clients:
        client.close()
    leaving.join()


def test_a_request_that_came_too_late_is_not_taken_up(node, connect, business):
    client = connect("u1")
    business.hold = True
    client.send(Send("c1", "u2", "text", b"x"))
    client.hears_nothing()
    leaving = gevent.spawn(leave, node)
    gevent.sleep(0)
    client.send(Send("c2", "u2", "text", b"x"))
    client.hears_nothing()
    business.release()
    assert client.expect(Sent).cid == "c1"
    client.expect(GoAway)
    assert [request.cid for request in business.requests] == ["c1"]
    client.close()
    leaving.join()

"""The face over a socket: the same notes, in the same order, whatever the sizes; and an end that forgets."""

import socket

import gevent
import pytest

from protocol.messages import Entry, Pull, Pulled, ReadUpdate
from refserver.link import Links, RemoteNode, RemoteService


class Recorder:
    """An access node that writes down what it is told."""

    name = "recorder"

    def __init__(self) -> None:
        self.said: list[tuple] = []

    def __getattr__(self, name: str):
        return lambda *words: self.said.append((name, *words))

    def wait_for(self, count: int) -> None:
        while len(self.said) < count:
            gevent.sleep(0.001)


class Ends:
    def __init__(self, business) -> None:
        ours, theirs = socket.socketpair()
        self.happened: list[str] = []
        self.node = Recorder()
        self.links = Links()
        self.service = RemoteService(
            theirs,
            lambda: self.happened.append("drain"),
            lambda: self.happened.append("business gone"),
            self.links,
        )
        self.service.node = self.node
        self.far = RemoteNode(
            "far", ours, business,
            lambda: self.happened.append("ready"), lambda: self.happened.append("access gone"), self.links,
        )  # fmt: skip


@pytest.fixture
def ends(business):
    ends = Ends(business)
    yield ends
    ends.service.channel.close()
    ends.far.close()
    ends.links.close()


def until(condition) -> None:
    with gevent.Timeout(60):
        while not condition():
            gevent.sleep(0.001)


def test_every_call_arrives_as_it_was_made(ends):
    entry = Entry(1, 2, "a:b", 3, "a", "text", b"\x00\xff", 4)
    update = ReadUpdate("a:b", 1, 0, 0)
    ends.far.attached(5, 9)
    ends.far.push("u", entry, 7)
    ends.far.push("u", entry)
    ends.far.reply(5, Pulled([entry], 1, False))
    ends.far.tell("u", update, None)
    ends.far.replaced("u", "d", 6)
    ends.node.wait_for(6)
    assert ends.node.said == [
        ("attached", 5, 9),
        ("push", "u", entry, 7),
        ("push", "u", entry, None),
        ("reply", 5, Pulled([entry], 1, False)),
        ("tell", "u", update, None),
        ("replaced", "u", "d", 6),
    ]


def test_requests_are_answered_through_the_link(ends, business):
    entry = business.put("u1", b"x")
    ends.service.attach(ends.node, 1, "u1", "d1")
    ends.service.request(ends.node, 1, "u1", "d1", Pull(0, 10))
    until(lambda: ("reply", 1, Pulled([entry], 1, False)) in ends.node.said)
    assert ("attached", 1, 1) in ends.node.said


def test_more_than_the_kernel_takes_arrives_in_order(ends):
    for number in range(3000):
        ends.far.push("u", Entry(number, 0, "a:b", 0, "a", "text", b"x" * 2000, 0))
    ends.node.wait_for(3000)
    assert [words[2].version for words in ends.node.said] == list(range(3000))


def test_who_detaches_is_gone_from_business(ends, business):
    ends.service.attach(ends.node, 1, "u1", "d1")
    ends.service.attach(ends.node, 2, "u1", "d2")
    ends.service.detach(ends.node, "u1")
    until(lambda: len(business.nodes["u1"]) == 1)
    ends.service.detach(ends.node, "u1")
    until(lambda: not business.nodes["u1"])


def test_an_access_process_that_dies_takes_its_users_along(ends, business):
    ends.service.attach(ends.node, 1, "u1", "d1")
    ends.service.attach(ends.node, 2, "u1", "d2")
    ends.service.watch(ends.node, "u2")
    until(lambda: len(business.nodes["u1"]) == 2 and business.nodes["u2"])
    ends.service.channel.close()
    until(lambda: "access gone" in ends.happened)
    assert business.nodes["u1"] == business.nodes["u2"] == []
    ends.far.push("u1", Entry(1, 1, "a:b", 1, "a", "text", b"", 1))


def test_an_access_process_notices_that_business_is_gone(ends):
    ends.far.close()
    until(lambda: "business gone" in ends.happened)


def test_drain_arrives(ends):
    ends.far.drain()
    until(lambda: ends.happened == ["drain"])

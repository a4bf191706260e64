"""What a user may send: over the limit it is error 429 with the time to wait, and nothing is stored."""

import re
from base64 import b64encode

import gevent
import pytest
from chat_client import ChatClient
from http_client import HttpClient
from hypothesis import given
from hypothesis import strategies as st

from protocol.messages import Error, History, HistoryPage, Item, PackageSent, Push, Send, SendPackage, Sent
from reactor import sockets
from refserver import accounts
from refserver.access.http.server import Accounts, HttpNode
from refserver.access.node import AccessNode
from refserver.business import Business
from refserver.business.limiting import Buckets, RateLimit
from refserver.storage import Storage

SLOW = RateLimit(per_second=0.001, burst=3)
"""No message comes back while a test runs."""


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def wait_ms(error: Error) -> int:
    found = re.fullmatch(r"retry_after_ms=(\d+)", error.text)
    assert found, error.text
    return int(found[1])


# -- the buckets


def test_a_burst_goes_through_and_then_one_after_the_other():
    clock = Clock()
    buckets = Buckets(RateLimit(per_second=2, burst=3), clock)
    assert [buckets.refusal("u", 1, "c") for _ in range(3)] == [None] * 3
    refusal = buckets.refusal("u", 1, "c4")
    assert refusal == Error(429, "retry_after_ms=500", "c4")
    clock.now += 0.5
    assert buckets.refusal("u", 1, "c4") is None
    assert buckets.refusal("u", 1, "c5") is not None


def test_one_user_s_haste_is_not_another_s():
    buckets = Buckets(SLOW, Clock())
    while buckets.refusal("u1", 1, "c") is None:
        pass
    assert buckets.refusal("u2", 1, "c") is None


def test_a_package_counts_item_by_item_and_needs_no_burst_of_its_size():
    clock = Clock()
    buckets = Buckets(RateLimit(per_second=10, burst=3), clock)
    assert buckets.refusal("u", 100, "p1") is None
    refusal = buckets.refusal("u", 1, "c")
    assert refusal is not None
    assert wait_ms(refusal) == pytest.approx(9800, abs=1), "100 items less the two that may be ahead"
    clock.now += wait_ms(refusal) / 1000
    assert buckets.refusal("u", 100, "p2") is None


def test_who_is_silent_is_forgotten():
    clock = Clock()
    buckets = Buckets(RateLimit(per_second=10, burst=10), clock)
    for number in range(100_000):
        clock.now += 0.01
        buckets.refusal(f"u{number}", 1, "c")
        if number % 1000 == 0:
            assert len(buckets) <= 2500, "those of the last 2 × (10 + 100) / 10 s, at 100 a second"
    clock.now += 1e6
    buckets.refusal("u", 1, "c")
    assert len(buckets) == 1


@given(
    st.floats(0.1, 100), st.integers(1, 20),
    st.lists(st.tuples(st.floats(0, 30), st.sampled_from("ab"), st.integers(1, 100)), max_size=60),
)  # fmt: skip
def test_forgetting_changes_nothing(per_second, burst, steps):
    clock = Clock()
    limit = RateLimit(per_second, burst)
    buckets = Buckets(limit, clock)
    owed = dict.fromkeys("ab", 0.0)
    at = clock.now
    for pause_s, user, messages in steps:
        clock.now += pause_s
        owed = {name: max(0.0, debt - (clock.now - at) * per_second) for name, debt in owed.items()}
        at = clock.now
        if abs(owed[user] - (burst - 1)) < 1e-6:
            return  # on the edge, where rounding decides
        refusal = buckets.refusal(user, messages, "c")
        assert (refusal is None) == (owed[user] < burst - 1)
        if refusal is None:
            owed[user] += messages


@pytest.mark.parametrize("wrong", [(0, 1), (-1, 1), (float("inf"), 1), (float("nan"), 1), (1, 0)])
def test_a_limit_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match="messages"):
        RateLimit(*wrong)


# -- over the wire


@pytest.fixture
def world(tmp_path, signer):
    """`tcp(user)` and `http(user)` open clients of a server that limits its users."""
    accounts.add(tmp_path, ["u1", "u2"])
    accounts.befriend(tmp_path, ["u1", "u2"])
    storage = Storage.open(tmp_path)
    business = Business(storage, rate_limit=SLOW)
    node = AccessNode("n1", business, signer)
    http_node = HttpNode("http", business, Accounts(signer, lambda user, password: False))
    ports = []
    for listen in (node.lines.listen, http_node.listen):
        listener = sockets.listen("127.0.0.1", 0)
        ports.append(listener.getsockname()[1])
        listen(listener)
    clients = []

    class World:
        def tcp(self, user: str, device: str = "d1") -> ChatClient:
            clients.append(ChatClient(("127.0.0.1", ports[0])))
            clients[-1].login(signer.issue(user, 60), device=device)
            return clients[-1]

        def http(self, user: str) -> HttpClient:
            clients.append(HttpClient(ports[1], signer.issue(user, 60)))
            return clients[-1]

    yield World()
    for client in clients:
        client.close()
    node.close()
    http_node.stop()
    business.close()
    storage.close()


def text(cid: str) -> Send:
    return Send(cid, "u2", "text", cid.encode())


def test_over_the_limit_is_429_with_the_time_to_wait_and_nothing_is_stored(world):
    sender, recipient = world.tcp("u1"), world.tcp("u2")
    sender.send(*(text(f"c{number}") for number in range(5)))
    answers = [sender.receive() for _ in range(5)]
    assert [type(answer) for answer in answers] == [Sent] * 3 + [Error] * 2
    for refusal, cid in zip(answers[3:], ["c3", "c4"], strict=True):
        assert (refusal.code, refusal.cid, refusal.fatal) == (429, cid, False)
        assert 900_000 < wait_ms(refusal) <= 1_000_000
    assert [recipient.expect(Push).body for _ in range(3)] == [b"c0", b"c1", b"c2"]
    sender.send(History("u1:u2", 0, 100))
    assert [entry.body for entry in sender.expect(HistoryPage).entries] == [b"c2", b"c1", b"c0"]


def test_a_package_over_the_limit_is_refused_whole(world):
    sender = world.tcp("u1")
    items = [Item("text", b"%d" % number) for number in range(4)]
    sender.send(SendPackage("p1", "u2", items), SendPackage("p2", "u2", items))
    assert len(sender.expect(PackageSent).placed) == 4
    refusal = sender.expect(Error)
    assert (refusal.code, refusal.cid) == (429, "p2")
    sender.send(History("u1:u2", 0, 100))
    assert len(sender.expect(HistoryPage).entries) == 4


def test_what_is_stored_gets_its_first_answer_again_however_often_it_is_repeated(world):
    sender = world.tcp("u1")
    sender.send(*(text(f"c{number}") for number in range(4)))
    first = [sender.receive() for _ in range(4)]
    assert type(first[3]) is Error
    sender.send(*(text(f"c{number}") for number in (0, 1, 2)), text("c2"))
    assert [sender.receive() for _ in range(4)] == [*first[:3], first[2]]


def test_the_limit_is_the_user_s_and_not_the_connection_s(world):
    for device in ("d1", "d2", "d3"):
        client = world.tcp("u1", device)
        client.send(text("c"))
        client.expect(Sent)
    client = world.tcp("u1", "d4")
    client.send(text("c"))
    assert client.expect(Error).code == 429
    other = world.tcp("u2")
    other.send(Send("c", "u1", "text", b""))
    other.expect(Sent)


def test_over_http_it_is_429_with_retry_after(world):
    http = world.http("u1")
    body = {"to": "u2", "kind": "text", "body": b64encode(b"x").decode()}
    for number in range(3):
        http.post("/v1/messages", {**body, "cid": f"c{number}"})
        assert http.answer()[0] == 200
    http.post("/v1/messages", {**body, "cid": "c3"})
    status, headers, problem = http.answer()
    assert (status, problem["status"], problem["cid"]) == (429, 429, "c3")
    milliseconds = int(problem["detail"].removeprefix("retry_after_ms="))
    assert int(headers["retry-after"]) == -(-milliseconds // 1000)
    http.get("/v1/conversations/u1:u2/messages")
    assert len(http.answer()[2]["entries"]) == 3


def test_a_refused_send_is_taken_when_its_time_has_come(tmp_path, monkeypatch):
    clock = Clock()
    monkeypatch.setattr("refserver.business.business.Buckets", lambda limit: Buckets(limit, clock))
    accounts.add(tmp_path, ["u1", "u2"])
    accounts.befriend(tmp_path, ["u1", "u2"])
    storage = Storage.open(tmp_path)
    business = Business(storage, rate_limit=RateLimit(per_second=20, burst=1))
    node = Answers()
    business.request(node, 1, "u1", "d", text("c1"))
    business.request(node, 2, "u1", "d", text("c2"))
    refusal = node.answer_to(2)
    assert refusal.code == 429
    clock.now += wait_ms(refusal) / 1000
    business.request(node, 3, "u1", "d", text("c2"))
    assert node.answer_to(3).sequence == 2
    business.close()
    storage.close()


class Answers:
    name = "n"

    def __init__(self) -> None:
        self._answers = {}

    def reply(self, connection, message):
        self._answers[connection] = message

    def answer_to(self, connection):
        while connection not in self._answers:
            gevent.sleep(0.001)
        return self._answers[connection]

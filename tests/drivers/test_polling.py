"""The tunnel between a client's frames and HTTP requests, driven by hand."""

import base64
import json
from collections.abc import Callable
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.carriers.http_line import Answer, BrokenAnswer, Call, Line
from drivers.carriers.polling import PollingTunnel
from drivers.endpoints import TargetError, parse_target
from protocol import frames, messages
from protocol.messages import Entry, Error, Message


def response(status: int, content: object, *, close: bool = False) -> bytes:
    body = json.dumps(content).encode()
    end = b"Connection: close\r\n" if close else b""
    return b"HTTP/1.1 %d Said\r\nContent-Length: %d\r\n%s\r\n" % (status, len(body), end) + body


class Inbox:
    """What a correct server would answer to one user's requests; a poll with nothing new stays held."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.sent: dict[str, Entry] = {}

    def add(self, sender: str, body: bytes) -> Entry:
        version = len(self.entries) + 1
        self.entries.append(Entry(version, version, "ann:bob", version, sender, "text", body, 0))
        return self.entries[-1]

    def answer(self, request: bytes) -> bytes | None:
        """None: held."""
        head, _, body = request.partition(b"\r\n\r\n")
        method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
        if method == "POST":
            asked = json.loads(body)
            entry = self.sent.get(asked["cid"]) or self.add("ann", base64.b64decode(asked["body"]))
            self.sent[asked["cid"]] = entry
            return response(200, {
                "cid": asked["cid"], "conversation": entry.conversation, "version": entry.version,
                "mid": entry.mid, "sequence": entry.sequence, "at_ms": 0,
            })  # fmt: skip
        query = {name: float(value[0]) for name, value in parse_qs(urlsplit(target).query).items()}
        found = [entry for entry in self.entries if entry.version > query["after"]][: int(query["limit"])]
        if not found and query.get("wait_s"):
            return None
        page = [
            {
                "version": entry.version, "mid": entry.mid, "conversation": entry.conversation,
                "sequence": entry.sequence, "sender": entry.sender, "kind": entry.kind,
                "body": base64.b64encode(entry.body).decode(), "at_ms": 0,
            }
            for entry in found
        ]  # fmt: skip
        newest = len(self.entries)
        more = bool(found) and found[-1].version < newest
        return response(200, {"entries": page, "newest": newest, "more": more})


class ByHand:
    """A tunnel between a client, which is the test, and an `Inbox`. Nothing moves unless the test says so."""

    def __init__(self, *, wait_s: float = 25.0, every_s: float = 0.0) -> None:
        self.tunnel = PollingTunnel("chat.example", wait_s=wait_s, every_s=every_s)
        self.inbox = Inbox()
        self.now = 1000.0
        self.asked: dict[int, bytes] = {}
        self._stored: dict[int, bytes | None] = {}
        self._down = frames.FrameBuffer()

    def logged_in(self) -> "ByHand":
        self.say(messages.Login("token of ann", "phone", version=0, heartbeat_s=30))
        self.settle()
        assert isinstance(self.heard()[0], messages.LoggedIn)
        return self

    def say(self, *said: Message) -> None:
        self.tunnel.up(b"".join(map(frames.encode, said)))

    def heard(self) -> list[Message]:
        self._down.feed(self.tunnel.take_down())
        return list(iter(self._down.next_message, None))

    def go_out(self) -> None:
        """Requests whose turn has come are on their way."""
        if self.now >= self.tunnel.deadline:
            self.tunnel.tick(self.now)
        for number, line in enumerate(self.tunnel.lines):
            request = line.take(self.now)
            if request:
                self.asked[number] = request
                # A server stores what was sent when it comes, however late its answer is.
                self._stored[number] = self.inbox.answer(request) if request.startswith(b"POST") else None

    def come_back(self, number: int) -> bool:
        """The server answers on a line, if it has something to answer."""
        answer = self._stored.pop(number, None)
        if answer is None and number in self.asked:
            answer = self.inbox.answer(self.asked[number])
        if answer is None:
            return False
        del self.asked[number]
        self.tunnel.heard(self.tunnel.lines[number], answer, self.now)
        return True

    def settle(self) -> None:
        """Everything that can be answered is."""
        while True:
            self.go_out()
            if not any(list(map(self.come_back, range(len(self.tunnel.lines))))):
                return


def test_a_message_comes_as_a_push_and_a_send_is_answered() -> None:
    by_hand = ByHand().logged_in()
    by_hand.inbox.add("bob", b"hello")
    by_hand.settle()
    [push] = by_hand.heard()
    assert isinstance(push, messages.Push)
    assert (push.version, push.sender, push.body) == (1, "bob", b"hello")
    by_hand.say(messages.Send("c1", "bob", "text", b"\x00\xff"))
    by_hand.settle()
    [sent] = by_hand.heard()
    assert isinstance(sent, messages.Sent)
    assert (sent.cid, sent.version) == ("c1", 2)
    assert by_hand.inbox.entries[-1].body == b"\x00\xff"


STEPS = st.lists(st.sampled_from(["send", "come", "ping", "out", "0", "1", "tick"]), max_size=60)


@settings(max_examples=300)
@given(steps=STEPS, is_long=st.booleans(), same=st.booleans())
def test_each_entry_comes_once_in_order_and_no_echo(steps: list[str], is_long: bool, same: bool) -> None:
    """Whatever the order in which requests and answers of both lines cross."""
    by_hand = ByHand(wait_s=25.0 if is_long else 0.0, every_s=0.5).logged_in()
    heard: list[Message] = []
    for number, step in enumerate(steps):
        body = b"same" if same else b"%d" % number
        if step == "send":
            by_hand.say(messages.Send(f"c{number}", "bob", "text", body))
        elif step == "come":
            by_hand.inbox.add("bob", body)
        elif step == "ping":
            by_hand.say(messages.Ping())
        elif step == "tick":
            by_hand.now += 1.0
        elif step == "out":
            by_hand.go_out()
        elif int(step) < len(by_hand.tunnel.lines):
            by_hand.come_back(int(step))
        heard += by_hand.heard()
    for _ in range(3):
        by_hand.now += 1.0
        by_hand.settle()
    heard += by_hand.heard()
    pushed = [message.version for message in heard if isinstance(message, messages.Push)]
    own = [message.version for message in heard if isinstance(message, messages.Sent)]
    assert pushed == [entry.version for entry in by_hand.inbox.entries if entry.sender == "bob"]
    assert sorted(own) == [entry.version for entry in by_hand.inbox.entries if entry.sender == "ann"]
    assert sum(isinstance(message, messages.Pong) for message in heard) == steps.count("ping")


def test_a_poll_is_held_while_requests_go_on_beside_it() -> None:
    by_hand = ByHand().logged_in()
    by_hand.settle()
    assert list(by_hand.asked) == [1]
    assert b"wait_s=25" in by_hand.asked[1]
    by_hand.say(messages.Send("c1", "bob", "text", b"up"))
    by_hand.settle()
    assert [type(message) for message in by_hand.heard()] == [messages.Sent]


def test_a_server_that_holds_nothing_is_not_asked_without_end() -> None:
    by_hand = ByHand().logged_in()
    asked = 0
    until = by_hand.now + 1.0
    while by_hand.now < until:
        by_hand.go_out()
        if by_hand.asked.pop(1, None):
            asked += 1
            nothing = response(200, {"entries": [], "newest": 0, "more": False})
            by_hand.tunnel.heard(by_hand.tunnel.lines[1], nothing, by_hand.now)
        by_hand.now += 0.01
    assert asked <= 11


def test_a_refused_send_names_its_cid_and_the_session_goes_on() -> None:
    by_hand = ByHand().logged_in()
    by_hand.say(messages.Send("c1", "nobody", "text", b"x"))
    by_hand.go_out()
    problem = response(404, {"title": "Not Found", "status": 404, "detail": "no such user", "cid": "c1"})
    by_hand.tunnel.heard(by_hand.tunnel.lines[0], problem, by_hand.now)
    assert by_hand.heard() == [Error(404, "no such user", "c1", False)]
    assert not by_hand.tunnel.is_over


@pytest.mark.parametrize("status", [302, 401, 403, 404, 502, 511])
def test_a_page_of_somebody_between_turns_nobody_down(status: int) -> None:
    by_hand = ByHand().logged_in()
    by_hand.say(messages.Send("c1", "bob", "text", b"x"))
    by_hand.go_out()
    page = b"<html>Log in to this network</html>"
    said = b"HTTP/1.1 %d Said\r\nContent-Length: %d\r\n\r\n" % (status, len(page)) + page
    by_hand.tunnel.heard(by_hand.tunnel.lines[0], said, by_hand.now)
    [error] = by_hand.heard()
    assert isinstance(error, Error)
    assert (error.code, error.cid, error.fatal) == (502, None, True)


@pytest.mark.parametrize("during", ["login", "poll", "send"])
def test_a_refused_token_ends_the_session(during: str) -> None:
    by_hand = ByHand()
    number = 0
    if during == "login":
        by_hand.say(messages.Login("token of ann", "phone"))
    else:
        by_hand.logged_in()
        number = 1 if during == "poll" else 0
    if during == "send":
        by_hand.say(messages.Send("c1", "bob", "text", b"x"))
    by_hand.go_out()
    problem = response(401, {"title": "Unauthorized", "status": 401, "detail": "expired"})
    by_hand.tunnel.heard(by_hand.tunnel.lines[number], problem, by_hand.now)
    assert by_hand.heard() == [Error(401, "expired", None, True)]
    assert by_hand.tunnel.is_over


def test_a_silent_server_is_given_up_in_time() -> None:
    by_hand = ByHand().logged_in()
    by_hand.settle()
    by_hand.now = by_hand.tunnel.deadline
    by_hand.tunnel.tick(by_hand.now)
    [error] = by_hand.heard()
    assert isinstance(error, Error)
    assert error.fatal
    assert "/v1/inbox" in error.text


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70000,
    ],
)
def test_what_is_no_answer_ends_the_session_with_a_reason(said: bytes) -> None:
    by_hand = ByHand()
    by_hand.say(messages.Login("token of ann", "phone"))
    by_hand.go_out()
    by_hand.tunnel.heard(by_hand.tunnel.lines[0], said, by_hand.now)
    [error] = by_hand.heard()
    assert isinstance(error, Error)
    assert (error.code, error.fatal) == (502, True)


def test_nothing_is_polled_for_a_client_that_does_not_read() -> None:
    by_hand = ByHand()
    by_hand.tunnel.is_clogged = True
    by_hand.logged_in()
    assert by_hand.asked == {}
    by_hand.tunnel.is_clogged = False
    by_hand.settle()
    assert list(by_hand.asked) == [1]


def test_broken_frames_are_told_as_a_server_would() -> None:
    by_hand = ByHand()
    by_hand.tunnel.up(b"GET / HTTP/1.1\r\n\r\n")
    [error] = by_hand.heard()
    assert isinstance(error, Error)
    assert (error.code, error.fatal) == (400, True)


def test_a_page_larger_than_a_frame_comes_in_parts() -> None:
    by_hand = ByHand().logged_in()
    for _ in range(40):
        by_hand.inbox.add("bob", bytes(60_000))
    by_hand.say(messages.Pull(0, 100))
    by_hand.settle()
    [page] = [message for message in by_hand.heard() if isinstance(message, messages.Pulled)]
    assert [entry.version for entry in page.entries] == list(range(1, len(page.entries) + 1))
    assert page.entries
    assert page.more


# -- the line


def call(name: str = "/") -> Call:
    return Call("GET", name, b"", name, 10.0)


@given(cuts=st.lists(st.integers(0, 200), max_size=5), close=st.booleans())
def test_an_answer_is_the_same_however_it_is_cut(cuts: list[int], close: bool) -> None:
    line = Line(b"Host: a\r\n")
    line.put(call())
    line.take(0.0)
    data = response(200, {"a": "b" * 50}, close=close)
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    came = [line.receive(data[one:other]) for one, other in pairwise(places) if one < other]
    assert [each for each in came if each] == [(call(), Answer(200, json.dumps({"a": "b" * 50}).encode()))]
    assert line.is_spent is close


def test_calls_go_out_one_at_a_time_and_in_order() -> None:
    line = Line(b"Host: a\r\n")
    for name in ("/1", "/2"):
        line.put(call(name))
    assert line.take(0.0).startswith(b"GET /1 ")
    assert line.take(0.0) == b""
    line.receive(response(200, {}))
    assert line.take(0.0).startswith(b"GET /2 ")


def test_a_call_that_met_the_end_of_a_resting_connection_is_made_again_once() -> None:
    line = Line(b"Host: a\r\n")
    line.put(call("/1"))
    line.take(0.0)
    line.receive(response(200, {}))
    line.put(call("/2"))
    first = line.take(0.0)
    assert line.ended()
    assert line.take(0.0) == first
    assert not line.ended()


def test_a_call_whose_answer_broke_off_is_not_made_again() -> None:
    line = Line(b"Host: a\r\n")
    line.put(call("/1"))
    line.take(0.0)
    line.receive(response(200, {}))
    line.put(call("/2"))
    line.take(0.0)
    line.receive(b"HTTP/1.1 200 OK\r\nContent-Le")
    assert not line.ended()


def test_an_answer_to_nothing_is_refused() -> None:
    with pytest.raises(BrokenAnswer):
        Line(b"Host: a\r\n").receive(response(200, {}))


# -- the URLs


@pytest.mark.parametrize(
    ("url", "fragment"),
    [
        ("chat+longpoll://h:1?wait_s=0", "wait_s=SECONDS"),
        ("chat+longpoll://h:1?every_s=1", "wait_s=SECONDS"),
        ("chat+shortpoll://h:1?every_s=often", "every_s=SECONDS"),
    ],
)
def test_a_query_that_is_not_understood_is_refused(url: str, fragment: str) -> None:
    with pytest.raises(TargetError, match=fragment):
        parse_target(url)


Make = Callable[[], PollingTunnel]


@pytest.mark.parametrize(("url", "lines"), [("chat+longpoll://h:1?wait_s=5", 2), ("chat+shortpoll://h:1", 1)])
def test_a_url_makes_tunnels(url: str, lines: int) -> None:
    new_tunnel: Make | None = parse_target(url).carrier.new_tunnel
    assert new_tunnel is not None
    assert len(new_tunnel().lines) == lines

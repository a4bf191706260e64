"""What is kept of what clients say: in order, bounded, and without what nobody may see."""

import json

import pytest

from conformance.wirelog import WireLog, describe
from drivers.endpoints import parse_target
from drivers.pumps.overheard import overheard, overheard_bare
from protocol import frames
from protocol.messages import Entry, LoggedIn, Login, Ping, Pulled, Push, Send

SECRET = "a-token-that-nobody-may-see"


def frame_of(number: int) -> bytes:
    return frames.encode(Send(f"c{number}", "u2", "text", b"x" * number))


@pytest.mark.parametrize("size", [1, 3, 8, 1000])
def test_frames_are_heard_whole_however_they_travel(size: int) -> None:
    heard: list[tuple[str, bytes]] = []
    endpoint = overheard(parse_target("chat+tcp://h:1"), lambda way, data: heard.append((way, data)))
    session = endpoint.new_session()
    wanted = [frame_of(number) for number in (0, 5, 300)]
    stream = b"".join(wanted)
    for at in range(0, len(stream), size):
        session.receive(stream[at : at + size])
    assert heard == [("down", frame) for frame in wanted]


def test_bytes_that_are_no_frames_are_heard_as_they_came() -> None:
    heard: list[bytes] = []
    endpoint = overheard_bare(parse_target("chat+tcp://h:1"), lambda _, data: heard.append(data))
    assert endpoint.carrier.wrap is not None
    session = endpoint.carrier.wrap(parse_target("chat+tcp://h:1").new_session())
    for data in (frame_of(1), b"GET / HTTP/1.1", b"\r\n"):
        session.receive(data)
    assert heard == [frame_of(1), b"GET / HTTP/1.1", b"\r\n"]


def test_a_client_is_called_what_its_login_says() -> None:
    log = WireLog()
    heard = log.client()
    heard.frame("up", frames.encode(Login(SECRET, "phone")))
    heard.frame("down", frames.encode(LoggedIn("u1", 1, 0, 60, [], 0, "n")))
    assert all("u1/phone" in line for line in log.lines())
    assert "→ LOGIN token=(not shown) device=phone" in log.lines()[0]
    assert "← LOGGED_IN user=u1 session=1" in log.lines()[1]


def test_no_token_and_no_password_is_shown() -> None:
    log = WireLog()
    heard = log.client()
    login = frames.encode(Login(SECRET, "phone"))
    for data in (
        login,
        login[:-1],
        login[:3] + b"\x07" + login[4:],
        login.replace(b"phone", b"\xff\xff\xff\xff\xff"),
    ):
        heard.frame("up", data)
    heard.web("up", "POST /v1/tokens", {"user": "u", "password": SECRET})
    heard.web("down", "200", {"tokens": [{"token": SECRET}]})
    text = "\n".join(log.lines())
    assert SECRET not in text
    assert SECRET.encode().hex(" ")[:20] not in text
    assert len(log.lines()) == 6


def test_long_bodies_and_lists_are_shortened() -> None:
    push = describe(frames.encode(Push(1, 2, "u1:u2", 1, "u1", "text", b"y" * 9000, 5)))
    assert "9,000 bytes" in push
    assert len(push) < 200
    entries = [Entry(number, number, "u1:u2", number, "u1", "text", b"z", 5) for number in range(1, 501)]
    page = describe(frames.encode(Pulled(entries, 500, False)))
    assert "500 in all" in page
    assert len(page) < 600


def test_of_each_client_the_first_and_the_last_lines_are_kept() -> None:
    log = WireLog()
    heard = log.client("busy")
    for number in range(1000):
        heard.frame("up", frame_of(number))
    lines = log.lines()
    assert len(lines) == 51
    assert "cid=c0 " in lines[0]
    assert "950 more" in lines[25]
    assert "cid=c999 " in lines[-1]


def test_many_clients_fill_no_more_than_the_log() -> None:
    log = WireLog()
    for number in range(100):
        heard = log.client(f"client {number}")
        for _ in range(10):
            heard.frame("up", frames.encode(Ping()))
    lines = log.lines()
    assert len(lines) == 301
    assert "700 lines left out" in lines[150]
    assert json.dumps(lines)

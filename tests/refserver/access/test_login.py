"""Login rules (rule 7) and what may come before and around it."""

import pytest

from protocol import frames
from protocol.messages import Bye, Error, LoggedIn, Login, Ping, Pong, Pull, Pulled, Send, Sent
from refserver.access import deadlines


def test_a_valid_token_logs_in_and_tells_what_the_server_holds(business, connect, signer):
    business.put("u1", b"before")
    client = connect()
    client.send(Login(token=signer.issue("u1", 60), device="d1", heartbeat_s=30, features=["zstd", "else"]))
    answer = client.expect(LoggedIn)
    assert (answer.user, answer.version, answer.heartbeat_s, answer.node) == ("u1", 1, 30, "n1")
    assert answer.features == ["zstd"]


def test_a_logged_in_device_is_answered(connect):
    client = connect("u1")
    client.send(Ping(), Send("c1", "u2", "text", b"hello"))
    assert client.expect(Pong).version == 0
    assert client.expect(Sent).cid == "c1"


@pytest.mark.parametrize("token", ["", "nonsense", "u1.99999999999.forged"])
def test_a_refused_token_is_a_fatal_401(connect, token):
    client = connect()
    client.send(Login(token=token, device="d1"))
    client.expect_error(401)


def test_an_expired_token_is_a_fatal_401(connect, signer):
    client = connect()
    client.send(Login(token=signer.issue("u1", -1), device="d1"))
    assert "expired" in client.expect_error(401).text


@pytest.mark.parametrize("first", [Ping(), Pull(0, 10), Bye()])
def test_login_has_to_be_the_first_frame(connect, business, first):
    client = connect()
    client.send(first)
    client.expect_error(401)
    assert business.requests == []


def test_a_second_login_is_malformed(connect, signer):
    client = connect("u1")
    client.send(Login(token=signer.issue("u1", 60), device="d1"))
    client.expect_error(400)


def test_who_does_not_log_in_in_time_is_closed(monkeypatch, connect, signer):
    monkeypatch.setattr(deadlines, "LOGIN_TIMEOUT_S", 0.3)
    slow = connect()
    login = frames.encode(Login(token=signer.issue("u1", 60), device="d1"))
    slow.send_bytes(login[:-1])
    slow.expect_error(401)


def test_bytes_that_trickle_do_not_extend_the_login_time(monkeypatch, connect, signer):
    monkeypatch.setattr(deadlines, "LOGIN_TIMEOUT_S", 0.5)
    slow = connect()
    login = frames.encode(Login(token=signer.issue("u1", 60), device="d1"))
    slow.socket.settimeout(0.1)
    error = None
    for at in range(len(login) - 1):
        slow.send_bytes(login[at : at + 1])
        try:
            error = slow.receive()
            break
        except TimeoutError:
            continue
    assert isinstance(error, Error)
    assert error.code == 401


def test_somebody_unknown_cannot_make_the_server_keep_much(connect):
    client = connect()
    client.send_bytes(frames.encode(Login(token="t", device="d"))[:4] + (1 << 20).to_bytes(4, "big"))
    client.send_bytes(b"\0" * (20 << 10))
    client.expect_error(413)


def test_frames_sent_right_after_login_are_answered_in_order_after_it(connect, business, signer):
    business.hold_attach = True
    client = connect()
    client.send(Login(token=signer.issue("u1", 60), device="d1"), Ping(), Pull(0, 5))
    assert client.hears_nothing()
    business.put("u1", b"meanwhile")
    business.release()
    assert client.expect(LoggedIn).version == 1
    assert client.expect(Pong).version == 1
    assert client.expect(Pulled).newest == 1


def test_who_leaves_while_business_is_slow_is_forgotten(connect, business, signer, node):
    business.hold_attach = True
    client = connect()
    client.send(Login(token=signer.issue("u1", 60), device="d1"))
    assert client.hears_nothing()
    client.close()
    other = connect()
    assert other.hears_nothing()
    assert business.nodes["u1"] == []
    business.release()
    assert node.lines.count == 1


def test_bye_closes_and_forgets(connect, business):
    client = connect("u1")
    client.send(Bye())
    assert client.receive() is None
    assert business.nodes["u1"] == []


def test_bye_lets_the_answers_out_that_were_ready(connect):
    client = connect("u1")
    client.send(Ping(), Ping(), Bye())
    client.expect(Pong)
    client.expect(Pong)
    assert client.receive() is None

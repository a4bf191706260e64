"""Whatever a client sends costs it its connection at most, and it is told why."""

import random

import gevent
import pytest
import zstandard

from protocol import frames
from protocol.messages import (
    Entry,
    GoAway,
    LoggedIn,
    Login,
    Ping,
    Pong,
    Pull,
    Pulled,
    Pushed,
    Read,
    ReadUpdate,
    Send,
    Sent,
)  # fmt: skip

ENTRY = Entry(1, 1, "a:b", 1, "a", "text", b"", 0)
FROM_SERVER = [
    LoggedIn("u", 1, 1, 1, [], 1, "n"), Pong(0, 1), ENTRY, Pulled([], 0, False), GoAway("draining"),
    ReadUpdate("a:b", 1, 0, 0), Sent("c", 1, "a:b", 1, 1, 1),
]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"G", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"\xc7\x03\x80\x00\x00\x00\x00\x00", 400),
        (b"\xc7\x03\x00\x01\x00\x00\x00\x00", 400),
        (b"\xc7\x77\x00\x00\x00\x00\x00\x00", 400),
        (b"\xc7\x22\x00\x00\x00\x00\x00\x00", 400),
        (b"\xc7\x22\x00\x00\x00\x00\x00\x01\xc1", 400),
        (b"\xc7\x22\x01\x00\x00\x00\x00\x01\x00", 400),
        (b"\xc7\x22\x00\x00\x00\x10\x00\x01", 413),
        (frames.encode(Pull(0, 10)) + b"\x00", 400),
    ],
    ids=[
        "one wrong byte", "another protocol", "unknown flag", "zero is not zero", "unknown type", "no body",
        "no MessagePack", "compressed without agreement", "larger than a frame may be", "after a good frame",
    ],
)  # fmt: skip
def test_a_malformed_frame_is_named_and_ends_the_connection(connect, data, code):
    client = connect("u1")
    client.send_bytes(data)
    client.expect_error(code)


@pytest.mark.parametrize("message", FROM_SERVER, ids=lambda message: type(message).__name__)
def test_what_only_a_server_says_is_malformed_from_a_client(connect, message):
    client = connect("u1")
    client.send(message)
    assert "not for a client" in client.expect_error(400).text


def test_the_error_arrives_although_the_client_goes_on_sending(connect):
    client = connect("u1")
    client.send_bytes(b"\x00" + b"x" * 200_000)
    client.expect_error(400)


def test_one_client_s_nonsense_is_no_other_s_trouble(connect):
    other = connect("u2")
    for _ in range(20):
        connect("u1").send_bytes(random.Random(1).randbytes(1000))
    other.send(Ping())
    other.expect(Pong)


def test_frames_may_be_cut_anywhere(connect, signer, business):
    stream = b"".join(
        map(
            frames.encode,
            [
                Login(signer.issue("u1", 60), "d1"), Ping(), Send("c1", "u2", "text", b"x"), Pull(0, 1),
                Pushed(0), Read("u1:u2", 1),
            ],
        )
    )  # fmt: skip
    expected = [LoggedIn, Pong, Sent, Pulled, ReadUpdate]
    for at in range(1, len(stream)):
        client = connect()
        client.send_bytes(stream[:at])
        gevent.sleep(0)
        client.send_bytes(stream[at:])
        got = [type(client.receive()) for _ in expected]
        assert got == expected, at
        client.close()


def test_a_compressed_bomb_costs_the_connection(connect):
    client = connect("u1", features=["zstd"])
    bomb = zstandard.compress(b"\0" * (100 << 20))
    client.send_bytes(b"\xc7\x10\x01\x00" + len(bomb).to_bytes(4, "big") + bomb)
    client.expect_error(413)


def test_pulled_is_compressed_only_if_agreed_and_smaller(connect, business):
    business.put("u1", b"a" * 10_000)
    plain, packed = connect("u1", device="d1"), connect("u1", device="d2", features=["zstd"])
    sizes = []
    for client in (plain, packed):
        client.send(Pull(0, 10))
        received = bytearray()
        while not received or len(received) < 8 or len(received) < 8 + int.from_bytes(received[4:8], "big"):
            received += client.socket.recv(65536)
        sizes.append((received[2], len(received)))
    assert sizes[0][0] == 0
    assert sizes[1][0] == 1
    assert sizes[1][1] < 1000 < sizes[0][1]

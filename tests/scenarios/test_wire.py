"""What is sampled of connections is what the kernel has sent and received on them."""

import random
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from drivers.client import State
from reactor import sockets
from scenarios.wire import WireTap


@dataclass(eq=False)
class Held:
    """What the tap asks of a client."""

    link: int
    state: State = State.ONLINE
    beat_due: float = 5.0


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
        with near, far:
            yield near, far


def tap_on(client: Held) -> tuple[WireTap, Any]:
    return WireTap(4, random.Random(1)), {0: SimpleNamespace(clients=[client])}


def test_payload_both_ways_and_the_headers_of_all_segments_are_counted(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    near, far = pair
    client = Held(near.fileno())
    tap, cohorts = tap_on(client)
    tap.look(cohorts, 10.0)
    near.sendall(b"x" * 700)
    assert len(far.recv(700, socket.MSG_WAITALL)) == 700
    far.sendall(b"y" * 30)
    assert len(near.recv(100)) == 30
    tap.look(cohorts, 11.5)
    counts = tap.counts
    assert (counts.connection_s, counts.out_bytes, counts.in_bytes) == (1.5, 700, 30)
    assert counts.segments >= 2
    assert counts.header_bytes in (counts.segments * 40, counts.segments * 52)


def test_a_second_with_a_heartbeat_tells_what_it_was(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    client = Held(near.fileno())
    tap, cohorts = tap_on(client)
    tap.look(cohorts, 1.0)
    tap.look(cohorts, 2.0)
    assert tap.counts.take()["beats"] == ""
    near.sendall(b"beat")
    assert far.recv(10) == b"beat"
    client.beat_due += 5.0
    tap.look(cohorts, 3.0)
    out_bytes, in_bytes, headers = tap.counts.take()["beats"].split(",")
    assert (out_bytes, in_bytes) == ("4", "0")
    assert int(headers) >= 40
    assert tap.counts.take()["beats"] == ""


def test_another_connection_of_the_same_client_is_not_counted_on_from_the_old(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    near, far = pair
    client = Held(near.fileno())
    tap, cohorts = tap_on(client)
    near.sendall(b"x" * 50)
    assert len(far.recv(100)) == 50
    tap.look(cohorts, 1.0)
    client.link = far.fileno()
    tap.look(cohorts, 2.0)
    client.state = State.CONNECTING
    tap.look(cohorts, 3.0)
    assert tap.counts.connection_s == 0.0
    assert tap.counts.in_bytes == 0


def test_what_is_no_tcp_connection_is_left_out() -> None:
    one, other = sockets.pair()
    try:
        assert sockets.tcp_info(one) == b""
        tap, cohorts = tap_on(Held(one))
        tap.look(cohorts, 1.0)
        tap.look(cohorts, 2.0)
        assert tap.counts.connection_s == 0.0
    finally:
        sockets.close(one)
        sockets.close(other)

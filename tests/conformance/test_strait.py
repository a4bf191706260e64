"""A way that a case can close: what it holds, what it cuts, what it tells of the server."""

from collections.abc import Iterator

import gevent
import gevent.server
import gevent.socket
import pytest

from conformance.strait import DOWN, UP, Strait
from drivers.endpoints import parse_target

Socket = gevent.socket.socket
PATIENCE_S = 60.0


@pytest.fixture
def parrot() -> Iterator[Strait]:
    """A strait before a server that says everything back, and hangs up when it is told `bye`."""

    def talk(client: Socket, _: object) -> None:
        while (data := client.recv(100)) and data != b"bye":
            client.sendall(data)
        client.close()

    server = gevent.server.StreamServer(("127.0.0.1", 0), talk)
    server.start()
    with Strait(parse_target(f"chat+tcp://127.0.0.1:{server.server_port}")) as strait:
        yield strait
    server.stop(0)


def connect(strait: Strait) -> Socket:
    return gevent.socket.create_connection(strait.endpoint.address, timeout=PATIENCE_S)


def hears_nothing(client: Socket) -> bool:
    client.settimeout(0.05)
    try:
        client.recv(100)
    except TimeoutError:
        client.settimeout(PATIENCE_S)
        return True
    return False


def test_what_is_held_arrives_when_it_is_let(parrot: Strait) -> None:
    client = connect(parrot)
    for direction in (UP, DOWN):
        parrot.hold(direction)
        client.sendall(b"held")
        assert hears_nothing(client)
        parrot.let(direction)
        assert client.recv(100) == b"held"


def test_what_is_held_is_lost_with_the_connection(parrot: Strait) -> None:
    client = connect(parrot)
    parrot.hold(DOWN)
    client.sendall(b"lost")
    assert hears_nothing(client)
    parrot.cut()
    parrot.let(DOWN)
    with pytest.raises(ConnectionResetError):
        client.recv(100)
    again = connect(parrot)
    again.sendall(b"new")
    assert again.recv(100) == b"new"


def test_the_end_by_the_server_is_told_and_one_by_a_cut_is_not(parrot: Strait) -> None:
    client = connect(parrot)
    client.sendall(b"one")
    assert client.recv(100) == b"one"
    parrot.cut()
    assert parrot.await_closed(0.05) is None
    client = connect(parrot)
    client.sendall(b"bye")
    assert parrot.await_closed(PATIENCE_S) is not None
    parrot.await_empty(PATIENCE_S)


def test_a_stranded_connection_tells_of_nothing_and_others_pass(parrot: Strait) -> None:
    client = connect(parrot)
    client.sendall(b"one")
    assert client.recv(100) == b"one"
    parrot.strand()
    client.sendall(b"bye")
    assert hears_nothing(client)
    other = connect(parrot)
    other.sendall(b"two")
    assert other.recv(100) == b"two"


def test_nothing_goes_up_once_a_sign_came_down(parrot: Strait) -> None:
    client = connect(parrot)
    parrot.hold_up_after(b"sign")
    client.sendall(b"a sign")
    assert client.recv(100) == b"a sign"
    client.sendall(b"more")
    assert hears_nothing(client)

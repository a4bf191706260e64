"""Routers that forget: three kinds, told apart by what becomes of a connection that goes on."""

import socket
from collections.abc import Callable

import pytest

from tests.packets.conftest import PATIENCE_S, Ends

MakeEnds = Callable[..., Ends]
_SHORT_S = 0.3


def test_a_silent_nat_swallows_what_both_sides_say_until_it_is_healed(ends: MakeEnds) -> None:
    both = ends("nat", nat="silent")
    client, server = both.tcp()
    trouble, count = both.network.forget()
    assert count == 1
    client.sendall(b"up")
    server.sendall(b"down")
    for end in (client, server):
        end.settimeout(_SHORT_S)
        with pytest.raises(TimeoutError):
            end.recv(4)
    both.network.heal(trouble)
    for end, said in ((server, b"up"), (client, b"down")):
        end.settimeout(PATIENCE_S)
        assert end.recv(4) == said


def test_a_healing_nat_lets_the_inside_mend_it(ends: MakeEnds) -> None:
    both = ends("nat", nat="healing")
    client, server = both.tcp()
    both.network.forget()
    server.sendall(b"down")
    client.settimeout(_SHORT_S)
    with pytest.raises(TimeoutError):
        client.recv(4)
    client.sendall(b"up")
    assert server.recv(2) == b"up"
    client.settimeout(PATIENCE_S)
    assert client.recv(4) == b"down"


@pytest.mark.parametrize("speaker", [0, 1], ids=["client", "server"])
def test_a_resetting_nat_tells_whoever_speaks(ends: MakeEnds, speaker: int) -> None:
    both = ends("nat", nat="reset")
    pair = both.tcp()
    both.network.forget()
    pair[speaker].sendall(b"hello")
    with pytest.raises(ConnectionResetError):
        pair[speaker].recv(1)


def test_a_connection_that_was_idle_for_too_long_is_forgotten_and_a_busy_one_is_not(ends: MakeEnds) -> None:
    # On a machine that stands still for so long, the busy one is idle as well: then once more with more time.
    assert any(_only_the_idle_is_forgotten(ends("nat", nat="reset"), idle_s) for idle_s in (2, 8, 32))


def _only_the_idle_is_forgotten(both: Ends, idle_s: int) -> bool:
    """False when both are, which is the machine's fault."""
    listener = both.listen()
    idle, busy = both.tcp(listener), both.tcp(listener)
    nat = both.network.nat
    assert nat is not None
    trouble = both.network.forget_after(idle_s)
    try:
        _talk(idle)
        while nat.known() == 2:
            _talk(busy)
        if not nat.known():
            return False
        _talk(busy)
    except ConnectionResetError:
        return False
    idle[0].sendall(b"x")
    with pytest.raises(ConnectionResetError):
        idle[0].recv(1)
    both.network.heal(trouble)
    return True


def _talk(pair: tuple[socket.socket, socket.socket]) -> None:
    pair[0].sendall(b"x")
    assert pair[1].recv(1) == b"x"


def test_a_nat_can_be_forgetful_from_the_start(ends: MakeEnds) -> None:
    both = ends("nat", forgets_after_s=1)
    both.tcp()
    nat = both.network.nat
    assert nat is not None
    while nat.known():
        pass


def test_who_is_outside_sees_the_router(ends: MakeEnds) -> None:
    both = ends("nat")
    _, server = both.tcp()
    assert server.getpeername()[0] == "10.77.1.1"

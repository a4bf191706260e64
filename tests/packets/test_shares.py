"""Faults for some of the clients, who are told apart by their addresses; a handover to another address."""

import socket
from collections.abc import Callable

import pytest

from chaos.packets.impairment import Impairment
from chaos.packets.network import CLIENT_ADDRESSES, DOWNSTREAM, SERVER_ADDRESS, UPSTREAM, VETH, WIRE, Network
from chaos.packets.wire import Direction
from tests.packets.conftest import PATIENCE_S

Make = Callable[..., Network]
HIT, SPARED = CLIENT_ADDRESSES[3], CLIENT_ADDRESSES[4]
COUNT = 50


def packet(source: str, target: str) -> bytes:
    return bytes(12) + socket.inet_aton(source) + socket.inet_aton(target) + bytes(40)


@pytest.mark.parametrize("stream", [UPSTREAM, DOWNSTREAM])
def test_only_packets_of_these_clients_are_lost(stream: str) -> None:
    direction = Direction(1, stream)
    direction.change(Impairment(), [([HIT], Impairment(loss=1.0))])

    def passes(client: str) -> bool:
        ends = (client, SERVER_ADDRESS) if stream == UPSTREAM else (SERVER_ADDRESS, client)
        return direction.take(packet(*ends), 0) or bool(direction.due(0))

    assert not passes(HIT)
    assert passes(SPARED)
    direction.change(Impairment())
    assert passes(HIT)


def test_those_who_share_a_rate_wait_for_each_other_and_for_nobody_else() -> None:
    direction = Direction(1, UPSTREAM)
    slow = Impairment(rate_bytes_s=600.0)
    direction.change(Impairment(delay_ms=1.0), [([HIT, CLIENT_ADDRESSES[7]], slow)])
    assert not direction.take(packet(HIT, SERVER_ADDRESS), 0)
    assert not direction.take(packet(CLIENT_ADDRESSES[7], SERVER_ADDRESS), 0)
    assert not direction.take(packet(SPARED, SERVER_ADDRESS), 0)
    assert direction.due(1_000_000) == [packet(SPARED, SERVER_ADDRESS)]
    assert direction.due(100_000_000) == [packet(HIT, SERVER_ADDRESS)]
    assert direction.due(200_000_000) == [packet(CLIENT_ADDRESSES[7], SERVER_ADDRESS)]


def sent(network: Network, source: str) -> int:
    """How many of COUNT datagrams from that address arrive."""
    with network.server.entered():
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with network.client.entered():
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with server, client:
        server.bind((SERVER_ADDRESS, 0))
        server.settimeout(PATIENCE_S)
        client.bind((source, 0))
        for _ in range(COUNT):
            client.sendto(b"packet", server.getsockname())
        # Behind the others, and not hit: whatever is to arrive has arrived before it.
        with network.client.entered():
            last = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with last:
            last.bind((CLIENT_ADDRESSES[-1], 0))
            last.sendto(b"last", server.getsockname())
        came = 0
        while server.recv(100) != b"last":
            came += 1
        return came


@pytest.mark.parametrize("kind", [VETH, WIRE])
def test_a_share_of_the_clients_loses_and_the_others_do_not(make: Make, kind: str) -> None:
    network = make(kind)
    trouble = network.impair(Impairment(loss=1.0), (UPSTREAM,), (HIT,))
    assert sent(network, HIT) == 0
    assert sent(network, SPARED) == COUNT
    network.heal(trouble)
    assert sent(network, HIT) == COUNT
    trouble = network.part((UPSTREAM,), (HIT, SPARED))
    assert (sent(network, HIT), sent(network, SPARED), sent(network, CLIENT_ADDRESSES[9])) == (0, 0, COUNT)
    network.heal(trouble)


def connected(network: Network, source: str) -> tuple[socket.socket, socket.socket, str]:
    """Both ends of a connection, and from which address the server sees it come."""
    with network.server.entered():
        listener = socket.create_server((SERVER_ADDRESS, 0))
    with network.client.entered():
        client = socket.socket()
    with listener:
        client.bind((source, 0))
        client.settimeout(PATIENCE_S)
        client.connect(listener.getsockname())
        server, peer = listener.accept()
    server.settimeout(PATIENCE_S)
    return client, server, peer[0]


def test_after_a_handover_clients_come_from_another_address(make: Make) -> None:
    network = make("nat", nat="reset")
    old, old_server, before = connected(network, HIT)
    stays, stays_server, _ = connected(network, SPARED)
    with old, old_server, stays, stays_server:
        trouble, count, address = network.hand_over((HIT,))
        assert count == 1
        new, new_server, after = connected(network, HIT)
        with new, new_server:
            assert (before, after) == ("10.77.1.1", address)
            assert address != before
            old.send(b"on the way")
            with pytest.raises(ConnectionResetError):
                old.recv(1)
            stays.send(b"here")
            assert stays_server.recv(10) == b"here"
        network.heal(trouble)

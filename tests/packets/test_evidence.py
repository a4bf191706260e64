"""What a capture says agrees with what the kernel knows and with what the network did."""

import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from chaos.packets.capture import Capture
from chaos.packets.diag import connections
from chaos.packets.impairment import Impairment
from chaos.packets.network import DEVICE, UPSTREAM
from chaos.packets.pcap import packets
from chaos.packets.segments import retransmissions, segment
from reactor import sockets
from tests.packets.conftest import PATIENCE_S, PORT, Ends

MakeEnds = Callable[..., Ends]
_SIZE = 300_000


@pytest.fixture
def capture(tmp_path: Path) -> Iterator[Callable[..., Capture]]:
    with ExitStack() as stack:

        def begin(ends: Ends, side: str = "client", **more: int) -> Capture:
            namespace = getattr(ends.network, side)
            made = Capture(namespace, DEVICE, tmp_path / side, **more)
            stack.callback(made.close)
            return made

        yield begin


def _send(ends: Ends, listener: socket.socket, size: int = _SIZE) -> tuple[socket.socket, socket.socket]:
    """Upstream and downstream through a new connection; both its ends."""
    client, server = ends.tcp(listener)
    for one, other in ((client, server), (server, client)):
        one.setblocking(False)
        data, sent, got = bytes(size), 0, 0
        while got < size:
            with suppress(BlockingIOError):
                sent += one.send(data[sent:]) if sent < size else 0
            other.settimeout(PATIENCE_S)
            got += len(other.recv(65536))
        one.settimeout(PATIENCE_S)
    return client, server


@pytest.mark.parametrize("kind", ["wire", "veth"])
def test_retransmissions_are_as_many_as_the_kernel_counts(
    ends: MakeEnds, capture: Callable[..., Capture], kind: str
) -> None:
    both = ends(kind)
    sides = {side: capture(both, side) for side in ("client", "server")}
    trouble = both.network.impair(Impairment(loss=0.1))
    listener = both.listen()
    pairs = [_send(both, listener) for _ in range(3)]
    both.network.heal(trouble)
    _await_acknowledgements([end for pair in pairs for end in pair])
    total = 0
    for side, taken in sides.items():
        known: dict[object, int] = dict(connections(getattr(both.network, side)))
        told = taken.mark()
        assert told["overrun"] == told["overwritten"] == 0
        counted = retransmissions(packets(*taken.paths))
        assert len(known) == 3
        assert {flow: counted[flow].retransmissions for flow in known} == known
        assert {counted[flow].bytes for flow in known} == {_SIZE}
        total += sum(known.values())
    assert total > 20


def _await_acknowledgements(ends: list[socket.socket]) -> None:
    """Nothing is on its way any more, and so nothing will be sent again."""
    for end in ends:
        while _unacknowledged(end):
            time.sleep(0.02)


def _unacknowledged(end: socket.socket) -> int:
    """Segments; tcpi_unacked of the kernel's struct tcp_info."""
    (count,) = struct.unpack_from("I", sockets.tcp_info(end.fileno()), 24)
    return int(count)


def test_a_capture_has_what_the_network_dropped_afterwards(
    ends: MakeEnds, capture: Callable[..., Capture]
) -> None:
    both = ends("veth")
    taken = capture(both, "server")
    trouble = both.network.part((UPSTREAM,))
    client = both.dial()
    client.settimeout(0.1)
    with pytest.raises(TimeoutError):
        client.connect(("10.77.1.2", PORT))
    client.close()  # so that it does not try again
    taken.mark()
    assert both.network.heal(trouble)[UPSTREAM] == len(list(packets(*taken.paths))) >= 1


def test_only_as_many_connections_are_kept_as_was_asked(
    ends: MakeEnds, capture: Callable[..., Capture]
) -> None:
    both = ends("wire")
    taken = capture(both, connections=2)
    listener = both.listen()
    for _ in range(4):
        client, server = both.tcp(listener)
        client.sendall(b"hello")
        assert server.recv(5) == b"hello"
    taken.mark()
    segments = list(filter(None, map(segment, packets(*taken.paths))))
    assert len({frozenset((each.flow, each.flow.other_way())) for each in segments}) == 2
    assert [each.payload for each in segments if each.payload] == [b"hello"] * 2


def test_a_capture_keeps_the_last_within_its_bound(ends: MakeEnds, capture: Callable[..., Capture]) -> None:
    both = ends("veth")
    taken = capture(both, most_bytes=100_000)
    client, server = both.tcp()
    client.sendall(bytes(400_000))
    got = 0
    while got < 400_000:
        got += len(server.recv(65536))
    client.sendall(b"the end")
    assert server.recv(7) == b"the end"
    assert taken.mark()["overwritten"] > 0
    assert sum(path.stat().st_size for path in taken.paths) <= 100_000
    kept = list(packets(*taken.paths))
    assert [each.at_ns for each in kept] == sorted(each.at_ns for each in kept)
    payloads = [found.payload for found in map(segment, kept) if found and found.payload]
    assert payloads[-1] == b"the end"

"""Packets that no kernel would send, and what comes of them; and the packets of a connection in words."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from chaos.errors import PacketsError
from chaos.packets.capture import Capture
from chaos.packets.diag import SYN_RECEIVED, Flow, connections
from chaos.packets.forge import NOBODY, Port, half_open, probe, reset
from chaos.packets.impairment import Impairment
from chaos.packets.network import DEVICE, KINDS, UPSTREAM
from chaos.packets.pcap import packets
from chaos.packets.witness import around
from protocol.frames import encode
from protocol.messages import Ping
from tests.packets.conftest import PORT, Ends

MakeEnds = Callable[..., Ends]


@pytest.mark.parametrize("kind", KINDS)
def test_a_probe_tells_what_each_port_says(ends: MakeEnds, kind: str) -> None:
    both = ends(kind)
    for port in (80, 443, PORT):
        both.listen(port)
    both.network.block([443], "drop")
    both.network.block([PORT], "unreachable")
    assert probe(both.network.client) == {
        80: Port.OPEN,
        443: Port.SILENT,
        8080: Port.CLOSED,
        PORT: Port.UNREACHABLE,
    }


def test_a_half_open_handshake_stays_at_the_server(ends: MakeEnds) -> None:
    both = ends("wire")
    both.listen()
    half_open(both.network.client, PORT, 5)
    until = time.monotonic() + 10
    waiting: list[Flow] = []
    while len(waiting) < 5 and time.monotonic() < until:
        waiting = list(connections(both.network.server, SYN_RECEIVED))
    assert [flow.peer_address for flow in waiting] == [NOBODY] * 5


def test_a_forged_reset_ends_the_servers_side_only(ends: MakeEnds, tmp_path: Path) -> None:
    both = ends("veth")
    client, server = both.tcp()
    capture = Capture(both.network.client, DEVICE, tmp_path)
    try:
        client.sendall(b"hello")
        assert server.recv(5) == b"hello"
        flow = Flow(*client.getsockname(), *client.getpeername())
        with pytest.raises(PacketsError, match="was captured: no reset"):
            reset(both.network.client, flow.other_way(), [])
        capture.mark()
        reset(both.network.client, flow, packets(*capture.paths))
        with pytest.raises(ConnectionResetError):
            server.recv(1)
        assert flow in connections(both.network.client)
    finally:
        capture.close()


def test_a_witness_shows_what_was_sent_when_and_what_again(ends: MakeEnds, tmp_path: Path) -> None:
    both = ends("wire")
    client, server = both.tcp()
    capture = Capture(both.network.client, DEVICE, tmp_path)
    try:
        beat = encode(Ping())
        client.sendall(beat)
        assert server.recv(100) == beat
        trouble = both.network.part((UPSTREAM,))
        client.sendall(b"\xc7not a message of ours")
        at_ns = time.monotonic_ns()
        server.settimeout(0.5)
        with pytest.raises(TimeoutError):
            server.recv(100)
        both.network.heal(trouble)
        server.settimeout(10)
        assert server.recv(100)
        told = capture.mark()
        flow = Flow(*client.getsockname(), *client.getpeername())
        at_ns += told["wall_minus_monotonic_ns"]
        rows = around(packets(*capture.paths), flow, at_ns, before_s=60, after_s=60)
    finally:
        capture.close()
    assert [row.after_ms for row in rows] == sorted(row.after_ms for row in rows)
    assert rows[0].remark == "PING"
    assert rows[0].after_ms < 0
    assert (rows[0].arrow, rows[0].sequence, rows[0].size) == ("→", 0, len(beat))
    again = [row for row in rows if row.remark.startswith("sent again")]
    assert again
    assert {(row.arrow, row.sequence) for row in again} == {("→", len(beat))}
    assert "sent again" in str(again[0])
    assert all("\n" not in str(row) for row in rows)
    few = around(packets(*capture.paths), flow, at_ns, before_s=60, after_s=60, most=2)
    assert len(few) == 2
    assert set(few) <= set(rows)


def test_damage_shows_in_the_servers_count_and_not_in_what_it_reads(ends: MakeEnds) -> None:
    both = ends("wire")
    client, server = both.tcp()
    trouble = both.network.impair(Impairment(corrupt=1.0), (UPSTREAM,))
    client.sendall(b"whole")
    server.settimeout(0.3)
    with pytest.raises(TimeoutError):
        server.recv(5)
    assert both.network.heal(trouble)["corrupted"] >= 1
    server.settimeout(10)
    assert server.recv(5) == b"whole"
    lines = both.network.server.run(["/bin/cat", "/proc/net/snmp"]).splitlines()
    names, values = (line.split() for line in lines if line.startswith("Tcp:"))
    assert int(dict(zip(names, values, strict=True))["InCsumErrors"]) >= 1

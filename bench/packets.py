"""What the wire in user space carries; whether as many packets get lost as was asked, also by nftables."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from bench.row import Options, Row
from chaos.errors import PacketsError
from chaos.packets.impairment import Impairment
from chaos.packets.network import SERVER_ADDRESS, UPSTREAM, VETH, WIRE, Network

NAME = "packets"
_SHARES = (0.01, 0.05, 0.2)
_ASKED = {
    "nothing": Impairment(),
    "20 ms": Impairment(delay_ms=20),
    "20 ms ± 10 ms, 1 % twice": Impairment(delay_ms=20, jitter_ms=10, duplicate=0.01),
}
_SO_RCVBUFFORCE = 33
_BURST = 500
_SIZE_BYTES = 64
_ROUND_TRIPS = 500
_QUIET_S = 0.3


def run(options: Options) -> list[Row]:
    """Packets a second that the wire carries, its part of a round trip, and losses; needs root."""
    count = options.repeats
    rows = []
    try:
        for what, asked in _ASKED.items():
            with Network(WIRE) as network, _ends(network) as (client, server):
                network.impair(asked)
                came, took_s = _flood(network, client, server, count)
                figures = {"packets/s": count / took_s, "lost %": 100 * max(count - came, 0) / count}
                if what == "nothing":
                    figures["round trip ms"] = _round_trip_ms(client, server)
                rows.append(Row(f"wire, {what}", figures))
        rows += [_loss(kind, share, count) for kind in (WIRE, VETH) for share in _SHARES]
    except PacketsError as error:
        return [*rows, Row("packets", {}, note=str(error))]
    return rows


def _loss(kind: str, share: float, count: int) -> Row:
    with Network(kind) as network, _ends(network) as (client, server):
        network.impair(Impairment(loss=share), (UPSTREAM,))
        came, took_s = _flood(network, client, server, count)
    lost = (count - came) / count
    by = "wire" if kind == WIRE else "nftables"
    figures = {
        "packets/s": count / took_s,
        "asked %": 100 * share,
        "lost %": 100 * lost,
        "off by %": 100 * (lost / share - 1),
    }
    return Row(f"{by}, loss of {share:.0%}", figures)


@contextmanager
def _ends(network: Network) -> Iterator[tuple[socket.socket, socket.socket]]:
    with network.server.entered():
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with network.client.entered():
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with closing(server), closing(client):
        server.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 1 << 29)
        server.bind((SERVER_ADDRESS, 0))
        client.connect(server.getsockname())
        yield client, server


def _flood(network: Network, client: socket.socket, server: socket.socket, count: int) -> tuple[int, float]:
    """How many of `count` packets came, in how long; never more at once than devices have room for."""
    packet, came = bytes(_SIZE_BYTES), 0
    server.setblocking(False)
    begin = time.perf_counter()
    for _ in range(0, count, _BURST):
        for _ in range(_BURST):
            client.send(packet)
        came += _drain(server)
        if network.wire is not None:
            network.wire.counts()
    server.setblocking(True)
    server.settimeout(_QUIET_S)
    end = time.perf_counter()
    while more := _drain(server):
        came += more
        end = time.perf_counter() - _QUIET_S
    return came, end - begin


def _drain(server: socket.socket) -> int:
    came = 0
    try:
        while True:
            server.recv(2048)
            came += 1
    except (BlockingIOError, TimeoutError):
        return came


def _round_trip_ms(client: socket.socket, server: socket.socket) -> float:
    client.settimeout(5)
    begin = time.perf_counter()
    for _ in range(_ROUND_TRIPS):
        client.send(b"there")
        _, back = server.recvfrom(64)
        server.sendto(b"and back", back)
        client.recv(64)
    return (time.perf_counter() - begin) * 1000 / _ROUND_TRIPS

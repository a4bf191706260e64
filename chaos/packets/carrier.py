"""The process that carries packets between two TUN devices, and does to them what it is told to.

Started by `wired`, with the descriptors of both devices and of a socket for orders: one JSON text each,
{"upstream": [lane, …], "downstream": […]}, answered by {"upstream": {counts}, …}. A lane is {"clients":
[address, …], "asked": the fields of an Impairment}, the first one without clients, for all that have none.
It ends when the other end of that socket is closed.
"""

import json
import os
import select
import socket
import sys
import time
from typing import Any

from chaos.packets.impairment import Impairment
from chaos.packets.wire import Direction

UPSTREAM, DOWNSTREAM = "upstream", "downstream"
_BATCH = 64
_PACKET_BYTES = 65536
_ORDER_BYTES = 65536


class _Line:
    """From one device to the other."""

    __slots__ = ("direction", "source", "target")

    def __init__(self, source: int, target: int, direction: Direction) -> None:
        self.source = source
        self.target = target
        self.direction = direction

    def read(self) -> None:
        """What has come is on its way, or on the other side already."""
        take = self.direction.take
        for _ in range(_BATCH):
            try:
                packet = os.read(self.source, _PACKET_BYTES)
            except BlockingIOError:
                return
            if take(packet, time.monotonic_ns()):
                self._write(packet)

    def deliver(self, now_ns: int) -> None:
        for packet in self.direction.due(now_ns):
            self._write(packet)

    def _write(self, packet: bytes) -> None:
        try:
            os.write(self.target, packet)
        except OSError:
            # The kernel takes no such packet, as that of a device that is going down; a wire has no way to
            # say so to anybody, but it counts.
            self.direction.counts["refused"] += 1


def carry(client: int, server: int, orders: socket.socket, seed: int) -> None:
    """Returns when nobody can give orders any more."""
    lines = {
        UPSTREAM: _Line(client, server, Direction(seed, UPSTREAM)),
        DOWNSTREAM: _Line(server, client, Direction(seed, DOWNSTREAM)),
    }
    by_source = {line.source: line for line in lines.values()}
    watched = [client, server, orders.fileno()]
    while True:
        due = [line.direction.next_ns for line in lines.values()]
        soonest = min((at_ns for at_ns in due if at_ns is not None), default=None)
        wait_s = None if soonest is None else max(soonest - time.monotonic_ns(), 0) / 1e9
        # Not epoll: its time limits are whole milliseconds.
        ready, _, _ = select.select(watched, (), (), wait_s)
        for fd in ready:
            line = by_source.get(fd)
            if line is not None:
                line.read()
            elif not _obey(orders, lines):
                return
        now_ns = time.monotonic_ns()
        for line in lines.values():
            line.deliver(now_ns)


def _obey(orders: socket.socket, lines: dict[str, _Line]) -> bool:
    order = orders.recv(_ORDER_BYTES)
    if not order:
        return False
    wanted: dict[str, list[dict[str, Any]]] = json.loads(order)
    for name, (others, *of_clients) in wanted.items():
        lines[name].direction.change(
            Impairment(**others["asked"]),
            [(lane["clients"], Impairment(**lane["asked"])) for lane in of_clients],
        )
    answer = {name: dict(line.direction.counts) for name, line in lines.items()}
    orders.send(json.dumps(answer).encode())
    return True


def main() -> None:
    """`carrier CLIENT SERVER ORDERS SEED`, all numbers, the first three open descriptors."""
    client, server, orders, seed = map(int, sys.argv[1:5])
    carry(client, server, socket.socket(fileno=orders), seed)

"""The process that keeps the packets of some connections: the last of them, within a bound.

Started by `capture`, with the descriptors of a packet socket and of one for orders: "mark" is answered with
counts when all that came before is in the files. It ends when the other end of that socket is closed.
"""

import json
import select
import socket
import sys
import time
from collections import Counter
from pathlib import Path
from struct import Struct, unpack_from
from typing import BinaryIO

from chaos.packets import pcap

FILES = ("packets-0.pcap", "packets-1.pcap")
_BATCH = 256
_TCP = 6
_SOL_PACKET, _PACKET_STATISTICS = 263, 6
_SO_TIMESTAMPNS = 35
_TIME = Struct("=qq")
_TIME_SPACE = socket.CMSG_SPACE(_TIME.size)


class Files:
    """Two in turn, each half of the bound: when the one that is written is full, the other begins anew."""

    def __init__(self, folder: Path, most_bytes: int, snap_bytes: int) -> None:
        self._folder = folder
        self._most = most_bytes // 2
        self._snap = snap_bytes
        self._turn = -1
        self._file: BinaryIO | None = None
        self._size = 0
        self.turns = 0
        self._next()

    def write(self, packet: pcap.Packet) -> None:
        """Raises OSError."""
        line = pcap.record(packet)
        if self._size + len(line) > self._most:
            self._next()
        assert self._file is not None
        self._file.write(line)
        self._size += len(line)

    def flush(self) -> None:
        if self._file is not None:
            self._file.flush()

    def _next(self) -> None:
        if self._file is not None:
            self._file.close()
            self.turns += 1
        self._turn = (self._turn + 1) % len(FILES)
        self._file = (self._folder / FILES[self._turn]).open("wb")
        self._size = pcap.begin(self._file, self._snap)


class Chosen:
    """The first `most` connections that show themselves, and their packets from then on. 0 takes all."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: set[bytes] = set()

    def has(self, data: bytes) -> bool:
        if not self._most:
            return True
        header = (data[0] & 0x0F) * 4
        if data[9] != _TCP or len(data) < header + 4:
            return False
        one, other = data[12:16] + data[header : header + 2], data[16:20] + data[header + 2 : header + 4]
        key = one + other if one < other else other + one
        if key in self._known:
            return True
        if len(self._known) < self._most:
            self._known.add(key)
            return True
        return False


def keep(source: socket.socket, orders: socket.socket, files: Files, chosen: Chosen, snap_bytes: int) -> None:
    """Returns when nobody can give orders any more."""
    counts: Counter[str] = Counter()
    offset_ns = time.time_ns() - time.monotonic_ns()
    source.setblocking(False)
    source.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)

    def read(limit: int) -> bool:
        """Whether there may be more."""
        for _ in range(limit):
            try:
                data, besides, _, _ = source.recvmsg(snap_bytes, _TIME_SPACE)
            except BlockingIOError:
                return False
            if len(data) < 20 or data[0] >> 4 != 4 or not chosen.has(data):
                continue
            counts["packets"] += 1
            # The kernel's time: ours would be that of our turn.
            seconds, rest = _TIME.unpack(besides[0][2]) if besides else divmod(time.time_ns(), 10**9)
            at_ns = seconds * 10**9 + rest
            files.write(pcap.Packet(at_ns, data, unpack_from("!H", data, 2)[0]))
        return True

    while True:
        ready, _, _ = select.select([source, orders], (), ())
        read(_BATCH)
        if orders not in ready:
            continue
        if not orders.recv(64):
            files.flush()
            return
        while read(_BATCH):
            pass
        files.flush()
        _, dropped = unpack_from("=II", source.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))
        counts["overrun"] += dropped
        told = {**counts, "overrun": counts["overrun"], "overwritten": max(files.turns - 1, 0)}
        orders.send(json.dumps({**told, "wall_minus_monotonic_ns": offset_ns}).encode())


def main() -> None:
    """`catcher SOURCE ORDERS FOLDER MOST_BYTES SNAP_BYTES CONNECTIONS`, the first two open descriptors."""
    source, orders = (socket.socket(fileno=int(word)) for word in sys.argv[1:3])
    folder, (most_bytes, snap_bytes, connections) = Path(sys.argv[3]), map(int, sys.argv[4:7])
    keep(source, orders, Files(folder, most_bytes, snap_bytes), Chosen(connections), snap_bytes)

"""What connections send and receive, as the kernel counts it (TCP_INFO, tcp(7)): payload, segments, headers.

A few connections of each process are looked at once a second, so that nothing is counted where heartbeats
and messages pass. A second of theirs with just one heartbeat in it shows what a heartbeat is on the wire.
"""

import random
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from drivers.client import Client, State
from reactor import sockets
from scenarios.cohort import Cohort

FEW, MOST = 8, 64
"""Connections to look at: of a process that is one of dozens, and of another."""
_COUNTS = struct.Struct("=5xB114xQQII56xQ")
"""Of struct tcp_info: options, bytes_acked, bytes_received, segs_out, segs_in, bytes_sent (Linux 4.19)."""
_WITH_TIMESTAMPS = 1
_HEADERS_BYTES, _TIMESTAMPS_BYTES = 40, 12
"""IPv4 and TCP; IPv6 has 20 more, which are not counted."""


@dataclass(slots=True)
class Counts:
    """Of the connections looked at, added up: for how long, payload bytes each way, segments with and without
    payload, and the bytes of their headers. `beats`: of each second with just one heartbeat,
    `payload out,payload in,headers` in the text of a sample."""

    connection_s: float = 0.0
    out_bytes: int = 0
    in_bytes: int = 0
    segments: int = 0
    header_bytes: int = 0
    beats: list[str] = field(default_factory=list)

    def take(self) -> dict[str, Any]:
        """The part of a sample: sums since the beginning, heartbeats since the last one."""
        beats, self.beats = self.beats, []
        return {
            "connection_s": round(self.connection_s, 3),
            "out_bytes": self.out_bytes,
            "in_bytes": self.in_bytes,
            "segments": self.segments,
            "header_bytes": self.header_bytes,
            "beats": ";".join(beats),
        }


@dataclass(frozen=True, slots=True)
class _Look:
    link: int
    at: float
    out_bytes: int
    in_bytes: int
    segments: int
    header_bytes: int
    beat_due: float


class WireTap:
    """`look` once a second; `counts` has what it found."""

    def __init__(self, most: int, dice: random.Random) -> None:
        self.counts = Counts()
        self._most = most
        self._dice = dice
        self._cohorts = 0
        self._sample: list[Client] = []
        self._seen: dict[Client, _Look] = {}

    def look(self, cohorts: Mapping[int, Cohort], now: float) -> None:
        """Connections that are the same as at the last look are counted on."""
        if len(cohorts) != self._cohorts:
            self._cohorts = len(cohorts)
            self._choose(list(cohorts.values()))
        seen = {}
        for client in self._sample:
            if client.state is not State.ONLINE or client.link < 0:
                continue
            found = _look(client, now)
            if found is None:
                continue
            seen[client] = found
            before = self._seen.get(client)
            if before is not None and before.link == found.link and before.segments <= found.segments:
                self._count(before, found)
        self._seen = seen

    def _choose(self, cohorts: list[Cohort]) -> None:
        clients: set[Client] = set()
        for _ in range(self._most if cohorts else 0):
            of_one = self._dice.choice(cohorts).clients
            if of_one:
                clients.add(self._dice.choice(of_one))
        self._sample = list(clients)
        self._seen.clear()

    def _count(self, before: _Look, found: _Look) -> None:
        counts = self.counts
        out_bytes, in_bytes = found.out_bytes - before.out_bytes, found.in_bytes - before.in_bytes
        header_bytes = found.header_bytes - before.header_bytes
        counts.connection_s += found.at - before.at
        counts.out_bytes += out_bytes
        counts.in_bytes += in_bytes
        counts.segments += found.segments - before.segments
        counts.header_bytes += header_bytes
        if found.beat_due > before.beat_due:
            counts.beats.append(f"{out_bytes},{in_bytes},{header_bytes}")


def _look(client: Client, now: float) -> _Look | None:
    """None where the client's descriptor is no TCP connection, as under HTTP polls."""
    info = sockets.tcp_info(client.link)
    if len(info) < _COUNTS.size:
        return None
    options, _, in_bytes, segments_out, segments_in, out_bytes = _COUNTS.unpack_from(info)
    segments = segments_out + segments_in
    headers_bytes = _HEADERS_BYTES + (_TIMESTAMPS_BYTES if options & _WITH_TIMESTAMPS else 0)
    return _Look(client.link, now, out_bytes, in_bytes, segments, segments * headers_bytes, client.beat_due)

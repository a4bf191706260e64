"""The measurement that swarms and servers have in common: connections that come, stay and beat."""

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from bench.measured import Measured, PeerFailed, line_of, tell, wait_until
from bench.opposite.counts import Counts

BYTES, BEAT_US, CONNECTS, ROUND_TRIPS = (
    "bytes a connection",
    "CPU µs a heartbeat",
    "connects/s",
    "verified round trips/s a core",
)
_UP_S, _UP_EACH_S = 30.0, 1 / 100


@dataclass(frozen=True, slots=True)
class Holding:
    """How many connections, how often each beats, for how long that is watched."""

    connections: int
    heartbeat_s: int
    window_s: int


class Counter:
    """Asks the process that stands opposite."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self._process = process
        self._log = log

    def counts(self) -> Counts:
        """As of now. Raises PeerFailed if the process has ended."""
        tell(self._process, b"?")
        return Counts(**json.loads(line_of(self._process, self._log)))


def held(
    measured: Measured, counter: Counter, before_bytes: int, since_s: float, holding: Holding
) -> dict[str, float]:
    """Figures by name, once all connections have come, each has beaten once, and the window is over.

    `before_bytes`: what was taken before the first connection; `since_s`: when connecting began, 0 for when
    the first came.

    Raises PeerFailed when they do not all come, or do not stay, or beat by less than three quarters of what
    is due.
    """
    wanted = holding.connections
    until_s = _UP_S + wanted * _UP_EACH_S
    if not wait_until(lambda: counter.counts().up >= wanted, until_s):
        raise PeerFailed(f"only {counter.counts().up:,} of {wanted:,} connections came in {until_s:.0f} s")
    time.sleep(holding.heartbeat_s + 0.5)
    began, cpu_s = counter.counts(), measured.cpu_s()
    began_s = time.monotonic()
    time.sleep(holding.window_s)
    ended, spent_s = counter.counts(), measured.cpu_s() - cpu_s
    beats, due = ended.beats - began.beats, wanted * (time.monotonic() - began_s) / holding.heartbeat_s
    if ended.up < wanted:
        raise PeerFailed(f"only {ended.up:,} of {wanted:,} connections stayed")
    if beats < due * 0.75:
        raise PeerFailed(f"{beats:,} heartbeats, {due:,.0f} were due")
    return {
        BYTES: (measured.rss_bytes() - before_bytes) / wanted,
        BEAT_US: spent_s / beats * 1e6,
        CONNECTS: wanted / max(ended.last_s - (since_s or ended.first_s), 1e-6),
    }

"""Idle connections that beat, from the side that makes the load: ours, peers, and the bare epoll floor.

Each swarm is a process of its own opposite the same minimal server, one after the other.
"""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from bench import swarms
from bench.holding import ROUND_TRIPS, Counter, Holding, held
from bench.measured import Measured, PeerFailed, line_of, module, running, tell, wait_until
from bench.peer import Load, Swarm, peers
from bench.row import Options, Row

NAME = "swarm"
TITLE, PLACE = "clients", 1
_ROUND_TRIP_CONNECTIONS = 1000
_START_S = 60.0


def run(options: Options) -> list[Row]:
    """A row a swarm; verified round trips come from a second process that chats, with fewer connections."""
    holding = Holding(options.connections, options.heartbeat, options.window)
    return [_row(name, peer, holding) for name, peer in peers(swarms, Swarm, options.peers).items()]


def _row(name: str, peer: Swarm, holding: Holding) -> Row:
    missing = peer.missing()
    if missing is not None:
        return Row(peer.title, {}, peer=True, note=f"not installed: {missing}")
    try:
        figures = _hold(name, peer, holding)
        if peer.verifies:
            figures[ROUND_TRIPS] = _chat(name, peer, holding)
    except PeerFailed as failure:
        return Row(peer.title, {}, peer=True, note=str(failure))
    return Row(peer.title, figures, peer=name != "chatproof", floor=name == "floor")


def _hold(name: str, peer: Swarm, holding: Holding) -> dict[str, float]:
    with _opposite(holding) as (load, counter):
        log = load.folder / "swarm.log"
        with running(_command(name, peer, load), log) as process:
            measured = Measured([process.pid], with_children=True)
            since_s = 0.0
            if peer.waits:
                line_of(process, log)
                before = measured.rss_bytes()
                since_s = time.monotonic()
                tell(process, b"go")
            else:
                before = _before_the_first(measured, counter)
            return held(measured, counter, before, since_s, holding)


def _before_the_first(measured: Measured, counter: Counter) -> int:
    """What a program that cannot be told to wait takes just before its first connection."""
    seen = [0]

    def has_come() -> bool:
        bytes_now = measured.rss_bytes()
        if counter.counts().up:
            return True
        seen.append(bytes_now)
        return False

    if not wait_until(has_come, _START_S):
        raise PeerFailed(f"no connection in {_START_S:.0f} s")
    return seen[-1]


def _chat(name: str, peer: Swarm, holding: Holding) -> float:
    fewer = replace(holding, connections=min(holding.connections, _ROUND_TRIP_CONNECTIONS))
    with _opposite(fewer) as (load, _):
        log = load.folder / "swarm.log"
        with running(_command(name, peer, replace(load, chats=True)), log) as process:
            line_of(process, log)
            tell(process, b"go")
            began, ended = (json.loads(line_of(process, log)) for _ in range(2))
    checked = min(ended["acked"] - began["acked"], ended["delivered"] - began["delivered"])
    if not checked:
        raise PeerFailed("no message came through")
    return float(checked / (ended["cpu_s"] - began["cpu_s"]))


@contextmanager
def _opposite(holding: Holding) -> Iterator[tuple[Load, Counter]]:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        log = folder / "server.log"
        with running(module("bench.opposite.server", "--heartbeat", holding.heartbeat_s), log) as server:
            port = int(line_of(server, log))
            yield (
                Load(port, holding.connections, holding.heartbeat_s, holding.window_s, folder),
                Counter(server, log),
            )


def _command(name: str, peer: Swarm, load: Load) -> list[str]:
    if peer.command is not None:
        return peer.command(load)
    return module("bench.swarms", name, json.dumps(asdict(load), default=str))

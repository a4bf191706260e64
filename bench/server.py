"""Idle connections that beat, from the side that serves: ours, peers, and the bare epoll floor.

Each server is a process of its own opposite the same minimal client, one after the other.
"""

import json
import tempfile
from pathlib import Path

from bench import servers
from bench.holding import Counter, Holding, held
from bench.measured import Measured, PeerFailed, line_of, module, running, tell
from bench.peer import Served, Server, peers
from bench.row import Options, Row

NAME = "server"
TITLE, PLACE = "servers", 2


def run(options: Options) -> list[Row]:
    """A row a server."""
    holding = Holding(options.connections, options.heartbeat, options.window)
    return [_row(name, peer, holding) for name, peer in peers(servers, Server, options.peers).items()]


def _row(name: str, peer: Server, holding: Holding) -> Row:
    missing = peer.missing()
    if missing is not None:
        return Row(peer.title, {}, peer=True, note=f"not installed: {missing}")
    try:
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            with peer.serve(folder, holding.connections) as served:
                figures = _hold(served, folder, holding)
    except PeerFailed as failure:
        return Row(peer.title, {}, peer=True, note=str(failure))
    return Row(peer.title, figures, peer=not name.startswith("chatproof"), floor=name == "floor")


def _hold(served: Served, folder: Path, holding: Holding) -> dict[str, float]:
    log, greetings = folder / "client.log", folder / "greetings.json"
    greetings.write_text(json.dumps(served.greetings))
    client = module(
        "bench.opposite.client",
        *("--port", served.port, "--connections", holding.connections, "--heartbeat", holding.heartbeat_s),
        # A crowd of phones does not beat in step.
        *("--tick-ms", 1, "--beat", served.beat, "--greetings", greetings),
    )
    measured = Measured(served.pids)
    with running(client, log) as process:
        line_of(process, log)
        before = measured.rss_bytes()
        tell(process, b"go")
        return held(measured, Counter(process, log), before, 0.0, holding)

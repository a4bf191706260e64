"""How cost grows with size: the heartbeat scenario, from nothing to its report, at each size."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.row import Options, Row

NAME = "growth"
GENERATOR_BYTES, SERVER_BYTES = "generator: bytes a connection", "server: bytes a connection"
PAIR_BYTES = "machine: bytes a pair"
GENERATOR_US, SERVER_US = "generator: CPU µs a heartbeat", "server: CPU µs a heartbeat"
_HEARTBEAT_S, _LOAD_S = 60, 60
_CONNECTS_A_S = 3700
_LEAST_RAMP_S = 10


def run(options: Options) -> list[Row]:
    """Bytes a connection of both sides and of the whole machine, kernel and processes included; CPU µs a
    heartbeat of both sides while all are connected; processes of both sides."""
    return [_row(size) for size in options.sizes]


def _row(connections: int) -> Row:
    what = f"{connections:,} connections"
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "run"
        command = [
            sys.executable, "-m", "chatproof", "run", "--scenario", "heartbeat", "--rate", "0",
            "--connections", str(connections), "--heartbeat", str(_HEARTBEAT_S),
            "--ramp", f"{max(_LEAST_RAMP_S, connections // _CONNECTS_A_S)}s", "--duration", f"{_LOAD_S}s",
            "--out", str(folder),
        ]  # fmt: skip
        ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if ended.returncode:
            lines = ended.stdout.decode(errors="replace").strip().splitlines() or ["it said nothing"]
            return Row(what, {}, note=f"exit code {ended.returncode}: {lines[-1]}")
        summary = json.loads((folder / "summary.json").read_text())
    generator, server, machine = summary["generator"], summary["server"], summary["machine"]
    return Row(
        what,
        {
            GENERATOR_BYTES: generator["bytes_per_connection"],
            SERVER_BYTES: server["bytes_per_connection"],
            PAIR_BYTES: machine["bytes_per_connection"],
            GENERATOR_US: generator["cpu_us_per_heartbeat"],
            SERVER_US: server["cpu_us_per_heartbeat"],
            "processes": generator["processes"] + server["processes"],
        },
    )

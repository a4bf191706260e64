"""What swarm processes cost the master of a run: each reports once a second, whatever it holds."""

import json
import subprocess
import sys

from bench.row import Options, Row

NAME = "master"
_PROCESSES = (50, 200, 500)


def run(options: Options) -> list[Row]:
    """Messages a second in both directions, their bytes, and the CPU of the master, by swarm processes."""
    return [_measured(count, options.window) for count in _PROCESSES]


def _measured(count: int, window_s: int) -> Row:
    command = [sys.executable, "-m", "bench.opposite.reporters", str(count), str(window_s)]
    found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    took_s = found["took_s"]
    figures = {
        "messages/s": found["messages"] / took_s,
        "KB/s": found["bytes"] / took_s / 1000,
        "CPU ms a process and second": found["cpu_s"] / took_s / count * 1000,
        "share of a core": found["cpu_s"] / took_s,
    }
    return Row(f"{count} swarm processes", figures)

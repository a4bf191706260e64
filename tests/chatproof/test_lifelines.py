"""A server that others wrote ends with whoever started it, also when that is killed."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from chatproof import starting

_START_AND_WAIT = """
import sys
from pathlib import Path
from chatproof import starting
started = starting.start(sys.argv[1], Path(sys.argv[2]), 3)
print(*started.pids, flush=True)
sys.stdin.read()
started.stop()
"""


@pytest.mark.parametrize("name", starting.all_starters())
@pytest.mark.parametrize("is_killed", [True, False], ids=["kill -9", "in order"])
def test_nothing_is_left_of_a_started_server_however_its_starter_ends(
    name: str, is_killed: bool, requires: Callable[[str], str], tmp_path: Path
) -> None:
    requires(starting.find(name).program)
    starter = subprocess.Popen(
        [sys.executable, "-c", _START_AND_WAIT, name, str(tmp_path / "server")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    started = psutil.Process(starter.pid).children(recursive=True)
    assert pid in [each.pid for each in started]
    if is_killed:
        starter.kill()
    starter.communicate()
    _, left = psutil.wait_procs(started, timeout=60)
    assert left == []

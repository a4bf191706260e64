"""Faults of the server's processes, in a run and by hand; nobody stands still when they are over."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from chaos.errors import ChaosError, FaultSyntaxError
from chaos.plan import parse_fault
from chatproof.embedded import EmbeddedServer
from refserver.process import ServerProcess

_FAULTS = (
    "pause at 1s for 1s on access",
    "slow_disk=200ms at 2s for 2s",
    "full_disk at 3s for 1s",
    "clock=+1h at 4s for 1s",
    "clock=-1h at 5s for 1s",
    "pause at 5s for 1s on server",
)


def test_a_run_in_which_processes_stand_still_and_disks_fail(tmp_path: Path) -> None:
    faults = [word for text in _FAULTS for word in ("--fault", text)]
    words = (
        "--connections", "60", "--rate", "60", "--duration", "7s", "--ramp", "1s", "--access-processes", "2",
        "--set", "cohort=20", "--set", "away_share=0", "--out", "run", *faults,
    )  # fmt: skip
    found = subprocess.run(
        [sys.executable, "-m", "chatproof", "run", *words],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout + found.stderr
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    sends = summary["checks"]["completeness"]
    assert sends["sent"] == sends["acked"] + sends["rejected"]
    assert sends["rejected"] > 0, "the disk was full for a second"
    layers = {fault["name"]: fault["detail"].get("layer", "") for fault in summary["faults"]}
    assert layers["full_disk"].startswith(("tmpfs", "store ("))
    assert layers["clock"] == layers["slow_disk"] == "the server itself"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    with ServerProcess(tmp_path / "data", access_processes=1, disturbances=True) as process:
        yield EmbeddedServer(process, random.Random(1))


def _until(pids: list[int], *, still: bool) -> None:
    """All of them stand still, or none; a signal takes effect a moment after it was sent."""
    end = time.monotonic() + 60
    while {psutil.Process(pid).status() == psutil.STATUS_STOPPED for pid in pids} != {still}:
        assert time.monotonic() < end, f"expected {'all' if still else 'none'} of {pids} to stand still"
        time.sleep(0.01)


def test_who_is_paused_twice_goes_on_after_the_second_end(server: EmbeddedServer) -> None:
    first, second = server.pause("server"), server.pause("access")
    assert set(second) < set(first)
    _until(first, still=True)
    server.resume(first)
    _until([pid for pid in first if pid not in second], still=False)
    _until(second, still=True)
    server.resume(second)
    _until(first, still=False)


def test_who_was_killed_in_the_meantime_is_passed_over(server: EmbeddedServer) -> None:
    paused = server.pause("server")
    server.kill("server")
    server.resume(paused)
    _until(server.pids, still=False)
    with pytest.raises(ChaosError, match="has no 'disk'; there are access, server"):
        server.pause("disk")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pause", "on access"),
        ("pause=3 on server", "takes no value"),
        ("clock=1h", r"forward \(\+\) or back"),
        ("clock=+1 on server", "not a time"),
        ("slow_disk=0ms", "needs a time"),
        ("slow_disk=5ms on access-1", "for the whole server"),
        ("full_disk=3", "takes no value"),
    ],
)
def test_what_cannot_be_meant_is_said(text: str, said: str) -> None:
    with pytest.raises(FaultSyntaxError, match=said):
        parse_fault(text)

"""However a run ends, also in the middle of faults: what was promised is accounted for, nothing is left."""

import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from command_line import Command, Ended

from drivers.endpoints import parse_target

_RUN = ("--connections", "40", "--rate", "100", "--duration", "900s", "--ramp", "1s", "--set", "cohort=20",
        "--fault", "latency=300ms at 0s for 900s", "--fault", "frame_loss=5% at 0s for 900s", "--out", "run",
        "--heartbeat", "5")  # fmt: skip

Interrupt = Callable[[Command], None]
INTERRUPTS: dict[str, Interrupt] = {
    "Ctrl-C at a terminal": lambda run: os.killpg(run.process.pid, signal.SIGINT),
    "SIGINT": lambda run: run.process.send_signal(signal.SIGINT),
    "SIGTERM": lambda run: run.process.send_signal(signal.SIGTERM),
    "kill -9": lambda run: run.process.kill(),
}


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Command]]:
    """A run under way for each interrupt, its faults on; they are started side by side."""
    commands = {
        name: Command("run", *_RUN, cwd=tmp_path_factory.mktemp("interrupted")) for name in INTERRUPTS
    }
    try:
        for each in commands.values():
            each.lines_until("latency 300ms on all, frame_loss 5% on all")
        yield commands
    finally:
        for each in commands.values():
            each.kill_all()
            each.process.communicate()


@pytest.fixture(scope="module")
def interrupted(started: dict[str, Command]) -> dict[str, tuple[Ended, bool]]:
    """All but the kill, ended; whether somebody listened where they did when they had."""
    gentle = [name for name in INTERRUPTS if name != "kill -9"]
    for name in gentle:
        INTERRUPTS[name](started[name])

    def end(name: str) -> tuple[Ended, bool]:
        # At once: later the ports may be those of others.
        return started[name].end(), any(map(listens, endpoints_of(folder_of(started, name))))

    with ThreadPoolExecutor(len(gentle)) as pool:
        return dict(zip(gentle, pool.map(end, gentle), strict=True))


def folder_of(started: dict[str, Command], name: str) -> Path:
    return Path(started[name].cwd) / "run"


@pytest.mark.parametrize("name", [name for name in INTERRUPTS if name != "kill -9"])
def test_an_interrupted_run_settles_and_is_judged(
    name: str, started: dict[str, Command], interrupted: dict[str, tuple[Ended, bool]]
) -> None:
    (ended, somebody_listens), folder = interrupted[name], folder_of(started, name)
    assert (ended.code, ended.err, ended.left) == (130, "", ())
    assert (folder / "report.html").exists()
    assert (folder / "junit.xml").exists()
    summary = json.loads((folder / "summary.json").read_text())
    completeness = summary["checks"]["completeness"]
    assert summary["interrupted"] is True
    assert completeness["verdict"] == "pass", completeness
    assert (completeness["undetermined"], completeness["unsettled"]) == (0, 0)
    assert completeness["acked"] == completeness["sent"] > 0
    assert {fault["name"] for fault in summary["faults"]} == {"latency", "frame_loss"}
    assert not somebody_listens


def test_a_killed_run_leaves_no_process_and_no_port(started: dict[str, Command]) -> None:
    run = started["kill -9"]
    family = run.family()
    # Itself, its swarm process, the server and the fault proxy.
    assert len(family) == 4, [each.cmdline() for each in family]
    addresses = endpoints_of(folder_of(started, "kill -9"))
    assert all(map(listens, addresses))
    INTERRUPTS["kill -9"](run)
    assert run.process.wait(60) == -signal.SIGKILL
    _, left = psutil.wait_procs([each for each in family if each.pid != run.process.pid], timeout=60)
    assert left == []
    assert not any(map(listens, addresses))


def endpoints_of(folder: Path) -> list[tuple[str, int]]:
    endpoints = map(parse_target, json.loads((folder / "environment.json").read_text())["endpoints"])
    return [(endpoint.host, endpoint.port) for endpoint in endpoints]


def listens(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=60).close()
    except ConnectionRefusedError:
        return False
    return True

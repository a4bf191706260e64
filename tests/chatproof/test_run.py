"""`chatproof run` from the command to the exit code."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

import polars as pl
import pytest
from command_line import Ended, chatproof, one_line

from chatproof.plan import load_plan
from refserver.process import ServerProcess

_SMALL = ("--duration", "6s", "--ramp", "1s", "--set", "cohort=20", "--set", "away_for=1.0", "--out", "run")
_RUNS = {
    "passes": (
        "run", "--connections", "100", "--rate", "60", "--processes", "2", "--json", "--metrics-port", "0",
        *_SMALL,
    ),
    "misses a threshold": (
        "run", "--scenario", "heartbeat", "--connections", "20", "--heartbeat", "5",
        "--threshold", "latency_ms.heartbeat.p50 < 100000", "--threshold", "connections.peak > 20", *_SMALL,
    ),
    "is hit": (
        "run", "--connections", "100", "--rate", "60", "--json", "--duration", "10s", "--ramp", "1s",
        "--set", "cohort=20", "--set", "away_share=0", "--set", "chat_share=0.5", "--heartbeat", "5",
        "--fault", "cut=40% at 1s", "--fault", "kill at 3s on server", "--out", "run",
    ),
    "loses an access process": (
        "run", "--scenario", "heartbeat", "--connections", "60", "--heartbeat", "5", "--json",
        "--duration", "9s", "--access-processes", "2", "--ramp", "1s", "--fault", "kill at 1s on access",
        "--out", "run",
    ),
    "follows a shape": (
        "run", "--connections", "60", "--rate", "60", "--shape", "steps", "--json",
        "--set", "away_share=0", *_SMALL,
    ),
}  # fmt: skip
_AT_ONCE = 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def ended(folder: Path) -> dict[str, Future[Ended]]:
    """Runs against the embedded server, and two, one after the other, against another, side by side."""
    made = chatproof("accounts", "generate", "15", "--data", "server", "--out", "tokens.csv", cwd=folder)
    assert (made.code, made.out) == (0, "15 made, tokens in tokens.csv\n")
    with ThreadPoolExecutor(_AT_ONCE) as pool, ServerProcess(folder / "server", http=False) as server:
        futures = {}
        for name, words in _RUNS.items():
            place = folder / name
            place.mkdir()
            futures[name] = pool.submit(chatproof, *words, cwd=place)
        target = ("--target", f"chat+{server.tcp_urls[0]}", "--accounts", "tokens.csv")
        words = ("run", *target, "--connections", "20", "--duration", "2s", "--ramp", "1s", "--json")
        first = futures["first of two"] = pool.submit(chatproof, *words, "--out", "first", cwd=folder)
        first.result()
        futures["second of two"] = pool.submit(chatproof, *words, "--out", "second", cwd=folder)
        wait(futures.values())
        return futures


def test_what_it_does_is_told_each_second_to_machines(ended: dict[str, Future[Ended]]) -> None:
    found = ended["passes"].result()
    told = [json.loads(line) for line in found.err.splitlines() if line.startswith("{")]
    assert {"load", "settling"} <= {each["phase"] for each in told}
    assert max(each["connections"] for each in told) == 100
    acked = json.loads(found.out)["checks"]["completeness"]["acked"]
    assert 0 < max(each["messages"].get("acked", 0) for each in told) <= acked
    assert "metrics http://127.0.0.1:" in found.err


def test_a_run_passes_and_its_summary_is_printed(folder: Path, ended: dict[str, Future[Ended]]) -> None:
    found, run = ended["passes"].result(), folder / "passes" / "run"
    assert (found.code, found.left) == (0, ()), found.err
    assert found.out == (run / "summary.json").read_text()
    summary = json.loads(found.out)
    completeness = summary["checks"]["completeness"]
    assert summary["verdict"] == "pass"
    assert summary["connections"]["peak"] == summary["connections"]["target"] == 100
    assert completeness["sent"] == completeness["acked"] > 200
    assert completeness["expected"] == completeness["ok"] + completeness["late"]
    assert len(list((run / "ledger").glob("*.parquet"))) == 2
    assert {
        "plan.toml",
        "environment.json",
        "phases.json",
        "histograms.json",
        "report.html",
        "junit.xml",
    } <= {each.name for each in run.iterdir()}


def test_connections_that_were_cut_and_a_server_that_was_killed_cost_nothing_that_was_acknowledged(
    folder: Path, ended: dict[str, Future[Ended]]
) -> None:
    found = ended["is hit"].result()
    assert (found.code, found.left) == (0, ()), found.err
    summary = json.loads(found.out)
    checks = summary["checks"]
    assert [fault["name"] for fault in summary["faults"]] == ["cut", "kill"]
    assert summary["faults"][1]["detail"]["pids"]
    assert checks["durability"]["kills"] == 1
    assert checks["reconnection"]["lost"] == checks["reconnection"]["back"] >= 100
    assert checks["completeness"]["sent"] == checks["completeness"]["acked"] > 300
    members = pl.read_parquet(folder / "is hit" / "run" / "tables" / "members.parquet")["user"].n_unique()
    devices = pl.read_parquet(folder / "is hit" / "run" / "tables" / "devices.parquet")["user"].n_unique()
    assert members == devices * 3 / 5, "of five cohorts, every other one chats"


def test_an_access_process_that_was_killed_costs_its_clients_a_reconnect(
    folder: Path, ended: dict[str, Future[Ended]]
) -> None:
    found = ended["loses an access process"].result()
    assert (found.code, found.left) == (0, ()), found.err
    summary = json.loads(found.out)
    assert 0 < summary["connections"]["dropped"] <= 60
    assert summary["checks"]["reconnection"]["away"] == 0
    # The one that stores, two that hold connections, where those come from, and one in place of the killed.
    assert summary["server"]["processes"] == 5


def test_the_plan_in_the_folder_repeats_the_run(folder: Path, ended: dict[str, Future[Ended]]) -> None:
    ended["passes"].result()
    plan = load_plan(str(folder / "passes" / "run" / "plan.toml"))
    plan.check()
    assert (plan.connections, plan.processes, plan.rate, plan.duration_s) == (100, 2, 60.0, 6.0)
    assert plan.swarm == {"cohort": 20, "away_for": 1.0}


def test_a_missed_threshold_is_told_from_a_failure(folder: Path, ended: dict[str, Future[Ended]]) -> None:
    found = ended["misses a threshold"].result()
    assert (found.code, found.left) == (99, ()), found.out + found.err
    summary = json.loads((folder / "misses a threshold" / "run" / "summary.json").read_text())
    assert summary["verdict"] == "pass"
    assert [threshold["ok"] for threshold in summary["thresholds"]] == [True, False]


def test_a_shape_decides_who_is_there(ended: dict[str, Future[Ended]]) -> None:
    found = ended["follows a shape"].result()
    assert (found.code, found.left) == (0, ()), found.err
    summary = json.loads(found.out)
    assert (summary["verdict"], summary["connections"]["peak"]) == ("pass", 60)
    assert summary["checks"]["completeness"]["sent"] > 50


@pytest.fixture
def server(furnished: Path, tmp_path: Path) -> Iterator[ServerProcess]:
    shutil.copytree(furnished, tmp_path, dirs_exist_ok=True)
    with ServerProcess(tmp_path / "data", http=False) as server:
        yield server


def test_somebody_elses_server_with_accounts_of_the_command_line(
    folder: Path, ended: dict[str, Future[Ended]]
) -> None:
    first, again = ended["first of two"].result(), ended["second of two"].result()
    assert (first.code, again.code) == (0, 0), first.err + again.err
    assert json.loads(first.out)["target"].startswith("chat+tcp://127.0.0.1:")
    # What the first run left in the inboxes is not taken for messages of the second.
    assert json.loads(again.out)["checks"]["completeness"]["foreign"] > 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[tuple[Path, tuple[str, int] | None]]:
    """A folder on a disk of 128 KiB; where none can be mounted, one and a limit to the size of files."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = shutil.which("mount") if os.geteuid() == 0 else None
    options = ["-t", "tmpfs", "-o", "size=128k", "none", str(folder)]
    if mount is None or subprocess.run([mount, *options], check=False, capture_output=True).returncode:
        yield folder, ("RLIMIT_FSIZE", 60_000)
        return
    try:
        yield folder, None
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_ends_the_run_with_one_line(
    tmp_path: Path, server: ServerProcess, small_disk: tuple[Path, tuple[str, int] | None]
) -> None:
    small, limit = small_disk
    found = chatproof(
        "run", "--target", f"chat+{server.tcp_urls[0]}", "--accounts", "accounts.csv", "--connections", "20",
        "--rate", "1000", "--duration", "100s", "--ramp", "1s", "--set", "cohort=20",
        "--out", str(small / "run"), cwd=tmp_path, limit=limit,
    )  # fmt: skip
    assert list(one_line(found)) == []
    assert "cannot write" in found.err
    assert found.code == 3


def test_a_disk_that_is_full_from_the_start_is_one_line(
    tmp_path: Path, small_disk: tuple[Path, tuple[str, int] | None]
) -> None:
    small, limit = small_disk
    if limit is None:
        (small / "rest").write_bytes(bytes(100 << 10))
    else:
        limit = ("RLIMIT_FSIZE", 20_000)
    words = ("run", "--connections", "20", "--duration", "3s", "--ramp", "1s", "--set", "cohort=20")
    found = chatproof(*words, "--out", str(small / "run"), cwd=tmp_path, limit=limit)
    assert list(one_line(found)) == []
    assert found.code == 3

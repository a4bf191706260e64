"""The benchmarks run and say something, with as few connections as that takes. No figure is judged."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from bench import servers, swarms
from bench.measured import Measured
from bench.peer import Server, Swarm, peers
from bench.row import Row, table
from refserver.workers import environment_with_this_code

SMALL = ("--connections", "50", "--heartbeat", "1", "--window", "1")
PARTS = {
    "table": ("--peer", "floor"),
    "ours": ("--only", "swarm", "--peer", "chatproof"),
    "locust": (
        *("--only", "swarm", "--peer", "locust_tcp", "--peer", "locust_websocket"),
        *("--only", "server", "--peer", "chatproof_access"),
    ),
    "proxy": ("--only", "proxy", "--only", "server", "--peer", "floor"),
}
COMMON = {"bytes a connection", "CPU µs a heartbeat", "connects/s"}


class Made:
    """What one command printed, and what it left."""

    def __init__(self, text: str, folder: Path) -> None:
        self.text = text
        self.chart = (folder / "bench.png").read_bytes()
        self.rows: dict[str, list[dict[str, Any]]] = json.loads((folder / "bench.json").read_text())["rows"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    """All parts, measured side by side: nobody looks at the figures."""
    folders = {part: tmp_path_factory.mktemp(part) for part in PARTS}
    with ExitStack() as stack:
        running = {
            part: stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "bench", *SMALL, *words, "--results", str(folders[part])],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    env=environment_with_this_code(),
                )
            )
            for part, words in PARTS.items()
        }
        said = {part: process.communicate() for part, process in running.items()}
        codes = {part: process.returncode for part, process in running.items()}
    assert codes == dict.fromkeys(PARTS, 0), said
    return {part: Made(said[part][0], folder) for part, folder in folders.items()}


def test_one_table_has_clients_servers_and_messages_in_that_order(made: dict[str, Made]) -> None:
    places = [made["table"].text.index(f"\n{title}: ") for title in ("clients", "servers", "messages")]
    assert places == sorted(places)
    assert "bare epoll (the floor)" in made["table"].text


@pytest.mark.parametrize("part", PARTS)
def test_every_peer_that_was_asked_for_is_measured(made: dict[str, Made], part: str) -> None:
    for name in ("swarm", "server"):
        for row in made[part].rows.get(name, []):
            assert set(row["figures"]) >= COMMON, row["note"]
    assert made[part].chart.startswith(b"\x89PNG")


def test_only_who_verifies_has_verified_round_trips(made: dict[str, Made]) -> None:
    verified = {
        row["what"]
        for each in made.values()
        for row in each.rows.get("swarm", [])
        if "verified round trips/s a core" in row["figures"]
    }
    assert verified == {"Chatproof"}


def test_a_message_is_counted_once_the_ledger_has_passed_the_run(made: dict[str, Made]) -> None:
    [row] = made["table"].rows["messages"]
    assert {"messages/s", "generator: µs", "storage: µs", "ledger: µs"} <= set(row["figures"]), row["note"]


def test_the_proxy_is_measured_with_and_without_toxics_beside_none(made: dict[str, Made]) -> None:
    none, ours, *with_toxics = (row["figures"] for row in made["proxy"].rows["proxy"] if not row["peer"])
    assert {"MB/s", "round trip µs", "µs added", "bytes a connection"} <= set(ours)
    assert {"MB/s", "round trip µs"} <= set(none)
    assert all(row["MB/s"] > 0 for row in with_toxics)


def test_a_child_is_counted_with_its_parent_only_where_that_was_asked_for() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        try:
            alone = Measured([os.getpid()]).thread_cpu_s()
            together = Measured([os.getpid()], with_children=True).thread_cpu_s()
        finally:
            child.kill()
    assert child.pid not in alone
    assert child.pid in together


def test_peers_are_found_ours_first_and_the_floor_last() -> None:
    for names in (list(peers(swarms, Swarm)), list(peers(servers, Server))):
        assert names[0].startswith("chatproof")
        assert names[-1] == "floor"
        assert len(names) >= 4


def test_a_row_without_figures_says_why() -> None:
    rows = [Row("ours", {"µs": 4.0}), Row("theirs", {}, peer=True, note="not installed: apt-get install it")]
    assert "theirs  not installed: apt-get install it" in table(rows)


def test_figures_stand_beside_their_ratio_to_the_floor_and_to_ours() -> None:
    rows = [
        Row("ours", {"µs": 4.0}),
        Row("theirs", {"µs": 8.0}, peer=True),
        Row("floor", {"µs": 2.0}, peer=True, floor=True),
    ]
    assert [line.split() for line in table(rows).splitlines()] == [
        ["µs", "×floor", "×ours"],
        ["ours", "4", "2"],
        ["theirs", "8", "4", "2"],
        ["floor", "2", "1", "0.5"],
    ]

"""The suite as one call: what it says and returns before, and after, a run."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from conformance.run import ConformSettings, run_conformance
from refserver import accounts
from refserver.process import ServerProcess


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("server") / "data", http=False) as server:
        yield server


@pytest.fixture(scope="module")
def blocks(server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("accounts") / "accounts.json"
    accounts.testbed(server.data_dir, 10, path, 3600.0)
    return path


def test_a_server_that_keeps_its_clauses_is_told_so(
    server: ServerProcess, blocks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = tmp_path / "out" / "conformance.json"
    settings = ConformSettings(
        targets=[f"chat+{server.tcp_urls[0]}"], accounts=blocks, clauses=["STO.3"], json=result, seed=1
    )
    assert run_conformance(settings) == 0
    assert "1 pass" in capsys.readouterr().out
    assert json.loads(result.read_text())["clauses"]["STO.3"]["verdict"] == "pass"


def test_a_server_is_started_when_none_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_conformance(ConformSettings(clauses=["STO.1"])) == 0
    assert "1 pass" in capsys.readouterr().out


@pytest.fixture(scope="module")
def over_all(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run over every carrier leaves, with cases that say something of each."""
    out = tmp_path_factory.mktemp("over all")
    settings = ConformSettings(carriers=["all"], jobs=3, clauses=["CHN.2", "ROM.2", "WAY.3"], out=out)
    assert run_conformance(settings) == 0
    return out


def test_the_carriers_are_tried_side_by_side(over_all: Path) -> None:
    content = json.loads((over_all / "conformance.json").read_text())
    assert content["carriers"] == ["tcp", "tls", "ws", "wss", "longpoll", "shortpoll"]
    for clause, carriers in {
        "ROM.2": content["carriers"],
        "CHN.2": content["carriers"][:-1],
        "WAY.3": ["tcp", "tls", "ws", "wss"],
    }.items():
        verdicts = {name: over["verdict"] for name, over in content["clauses"][clause]["carriers"].items()}
        assert [name for name, verdict in verdicts.items() if verdict == "pass"] == carriers
        assert set(verdicts.values()) <= {"pass", "not offered"}


def test_every_case_leaves_what_its_clients_said(over_all: Path) -> None:
    for path in (over_all / "wire").iterdir():
        logs = {case["name"]: case["log"] for case in map(json.loads, path.read_text().splitlines())}
        (name,) = [name for name in logs if "each_device_has_its_own_increment" in name]
        assert any("→ SEND" in line for line in logs[name]), path.name
        assert any("← PULLED" in line for line in logs[name]), path.name


def test_an_interrupted_run_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "chatproof", "conform", "--carrier", "tcp", "--carrier", "ws"]
    running = subprocess.Popen([*command, "--out", str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    assert "carriers: tcp, ws" in running.stdout.readline()
    us = psutil.Process(running.pid)
    # Two runs, and the servers that they have started.
    until = time.monotonic() + 120
    while len(started := us.children(recursive=True)) < 4 and time.monotonic() < until:
        time.sleep(0.05)
    assert len(started) == 4
    running.send_signal(signal.SIGINT)
    assert running.wait(120) == 130
    running.stdout.close()
    _, left = psutil.wait_procs(started, timeout=60)
    assert not left
    assert not list(tmp_path.iterdir())


def refusal(settings: ConformSettings, capsys: pytest.CaptureFixture[str]) -> str:
    assert run_conformance(settings) == 2
    said = capsys.readouterr()
    assert "passed" not in said.out
    assert said.err.count("\n") == 1
    return said.err


def test_an_unreachable_target_is_one_line(blocks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = ConformSettings(targets=["chat+tcp://127.0.0.1:1"], accounts=blocks)
    assert "cannot connect: Connection refused" in refusal(settings, capsys)


def test_accounts_of_another_server_are_one_line(
    server: ServerProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign = tmp_path / "foreign.json"
    accounts.testbed(tmp_path / "elsewhere", 1, foreign, 3600.0)
    settings = ConformSettings(targets=[f"chat+{server.tcp_urls[0]}"], accounts=foreign)
    assert "refused: 401" in refusal(settings, capsys)


def test_accounts_that_were_used_are_one_line(
    server: ServerProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    used = tmp_path / "used.json"
    accounts.testbed(server.data_dir, 12, used, 3600.0)
    settings = ConformSettings(targets=[f"chat+{server.tcp_urls[0]}"], accounts=used, clauses=["STO.3"])
    assert run_conformance(settings) == 0
    capsys.readouterr()
    assert "has messages already" in refusal(settings, capsys)


def test_a_pattern_without_cases_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no case for NONE.*" in refusal(ConformSettings(clauses=["NONE.*"]), capsys)


def test_a_target_without_accounts_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    settings = ConformSettings(targets=["chat+tcp://127.0.0.1:1"])
    assert "chatproof accounts testbed --data DIR --out FILE" in refusal(settings, capsys)

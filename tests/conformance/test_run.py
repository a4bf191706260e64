"""The suite as one call: what it says and returns before, and after, a run."""

import json
from collections.abc import Iterator
from pathlib import Path

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
    accounts.testbed(server.data_dir, 4, path, 3600.0)
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
    accounts.testbed(server.data_dir, 2, used, 3600.0)
    settings = ConformSettings(targets=[f"chat+{server.tcp_urls[0]}"], accounts=used, clauses=["STO.3"])
    assert run_conformance(settings) == 0
    capsys.readouterr()
    assert "has messages already" in refusal(settings, capsys)


def test_a_pattern_without_cases_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no case for NONE.*" in refusal(ConformSettings(clauses=["NONE.*"]), capsys)


def test_a_target_without_accounts_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    settings = ConformSettings(targets=["chat+tcp://127.0.0.1:1"])
    assert "chatproof accounts testbed --data DIR --out FILE" in refusal(settings, capsys)

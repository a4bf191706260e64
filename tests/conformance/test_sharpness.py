"""The suite is worth the broken servers that it catches, and it has to blame the right clause."""

import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from conformance import cases
from refserver import accounts as reference

sys.path.insert(0, str(Path(__file__).parent))

from mutants import MUTANTS

Verdicts = dict[str, str]
_AT_ONCE = 8


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Future[Verdicts]]:
    """What the suite says of each mutant; they are tried side by side, because most of it is waiting."""
    folder = tmp_path_factory.mktemp("mutants")
    accounts = folder / "accounts.json"
    reference.testbed(folder / "data", 60, accounts, 3600.0)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return {name: pool.submit(_try, name, folder, accounts) for name in MUTANTS}


def _try(name: str, folder: Path, accounts: Path) -> Verdicts:
    data, result = folder / name, folder / f"{name}.json"
    shutil.copytree(folder / "data", data)
    program = str(Path(__file__).with_name("mutants.py"))
    log = folder / f"{name}.log"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [sys.executable, program, name, "--listen", "tcp://127.0.0.1:0", "--data", str(data)],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as server,
    ):
        try:
            assert server.stdout is not None
            found = re.search(r"tcp://\S+", server.stdout.readline())
            assert found is not None, f"{name} did not start: {log.read_text()[-300:]}"
            _run_suite(name, f"chat+{found[0]}", accounts, result)
        finally:
            server.kill()
    clauses = json.loads(result.read_text())["clauses"]
    return {clause: content["verdict"] for clause, content in clauses.items()}


def _run_suite(name: str, target: str, accounts: Path, result: Path) -> None:
    chosen = [word for glob in MUTANTS[name].tried for word in ("--clause", glob)]
    subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "-p", "conformance.plugin", "-p", "no:cacheprovider",
            str(Path(cases.__file__).parent), "--target", target, "--accounts", str(accounts),
            "--conformance-json", str(result), *chosen,
        ],
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdout=subprocess.DEVNULL,
        check=False,
    )  # fmt: skip


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_server_is_caught_and_the_right_clause_blamed(
    name: str, verdicts: dict[str, Future[Verdicts]]
) -> None:
    found = verdicts[name].result()
    failed = {clause for clause, verdict in found.items() if verdict == "fail"}
    assert failed == set(MUTANTS[name].blamed), f"a server that {name}: {found}"

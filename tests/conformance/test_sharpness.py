"""The suite is worth the broken servers that it catches, and it has to blame the right clause."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from conformance import cases
from refserver import accounts as reference

sys.path.insert(0, str(Path(__file__).parent))

from mutants import MUTANTS

pytestmark = pytest.mark.timeout(600)

Verdicts = dict[str, str]
_AT_ONCE = 12
_SOUND = "the reference server as it is"


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Verdicts]]]:
    """What the suite says of each server; they are tried side by side, because most of it is waiting."""
    folder = tmp_path_factory.mktemp("mutants")
    reference.testbed(folder / "data", 60, folder / "accounts.json", 3600.0)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = {_SOUND: pool.submit(_run_suite, folder / "sound.json")}
        found |= {name: pool.submit(_try, name, folder) for name in MUTANTS}
        yield found


def _try(name: str, folder: Path) -> Verdicts:
    data, log = folder / name, folder / f"{name}.log"
    shutil.copytree(folder / "data", data)
    program = str(Path(__file__).with_name("mutants.py"))
    command = [sys.executable, program, name, "--listen", "tcp://127.0.0.1:0", "--data", str(data)]
    with (
        log.open("w") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as server,
    ):
        try:
            assert server.stdout is not None
            found = re.search(r"tcp://\S+", server.stdout.readline())
            assert found is not None, f"{name} did not start: {log.read_text()[-300:]}"
            target = ["--target", f"chat+{found[0]}", "--accounts", str(folder / "accounts.json")]
            clauses = [word for glob in MUTANTS[name].tried for word in ("--clause", glob)]
            return _run_suite(folder / f"{name}.json", *target, *clauses)
        finally:
            server.kill()


def _run_suite(result: Path, *arguments: str) -> Verdicts:
    """The verdicts by clause, without those that have no case."""
    subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "-p", "conformance.plugin", "-p", "no:cacheprovider",
            str(Path(cases.__file__).parent), "--conformance-json", str(result), *arguments,
        ],
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdout=subprocess.DEVNULL,
        check=False,
    )  # fmt: skip
    clauses = json.loads(result.read_text())["clauses"]
    found = {clause: content["verdict"] for clause, content in clauses.items()}
    return {clause: verdict for clause, verdict in found.items() if verdict != "no case"}


def test_the_reference_server_keeps_every_clause(verdicts: dict[str, Future[Verdicts]]) -> None:
    assert set(verdicts[_SOUND].result().values()) == {"pass"}, verdicts[_SOUND].result()


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_server_is_caught_and_the_right_clause_blamed(
    name: str, verdicts: dict[str, Future[Verdicts]]
) -> None:
    found = verdicts[name].result()
    failed = {clause for clause, verdict in found.items() if verdict == "fail"}
    assert failed == set(MUTANTS[name].blamed), f"a server that {name}: {found}"
    assert set(found.values()) <= {"fail", "pass"}, f"a server that {name}: {found}"

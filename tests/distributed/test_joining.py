"""How a machine comes to a run, and what keeps it from it: each time one line, on both sides."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from namespaces import Process

from chatproof.target import make_accounts
from refserver import accounts
from refserver.process import ServerProcess

Start = Callable[..., Process]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    data = tmp_path_factory.mktemp("server")
    accounts.tokens(data, make_accounts(data, 15, 5), 3600.0, data / "accounts.csv")
    with ServerProcess(data, http=False) as server:
        yield server


@pytest.fixture
def bind(reserved_port: Callable[[], int]) -> str:
    return f"127.0.0.1:{reserved_port()}"


@pytest.fixture
def target(server: ServerProcess) -> tuple[str, ...]:
    return ("--target", f"chat+{server.tcp_urls[0]}", "--accounts", str(server.data_dir / "accounts.csv"))


def port_of(target: tuple[str, ...]) -> int:
    return int(target[1].rpartition(":")[2])


def callers(port: int) -> set[str]:
    """The addresses from which there are connections to a port, or were a moment ago."""
    found = psutil.net_connections("tcp")
    return {each.raddr.ip for each in found if each.raddr and each.laddr.port == port}


def test_a_machine_with_the_masters_clock_has_an_offset_of_exactly_nothing(
    here: Start, server: ServerProcess, target: tuple[str, ...], bind: str, tmp_path: Path
) -> None:
    words = ("--connections", "20", "--duration", "6s", "--ramp", "1s", "--out", "run")
    run = here("run", *target, *words, "--machines", "1", "--bind", bind, cwd=tmp_path)
    same = ("--accounts", str(server.data_dir / "accounts.csv"))
    sources = {"127.0.0.5", "127.0.0.6"}
    from_them = [word for source in sources for word in ("--source", source)]
    worker = here("worker", "--master", bind, *same, *from_them, cwd=tmp_path)
    run.until(" joined: ")
    too_many = here("worker", "--master", bind, cwd=tmp_path)
    from_where = set[str]()
    while run.is_running and not sources <= from_where:
        from_where |= callers(port_of(target))
    ended = run.end()
    assert sources <= from_where
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert (ended.code, summary["verdict"]) == (0, "pass"), ended
    (clock,) = summary["checks"]["machines"]["clocks"].values()
    assert clock == {"offset_ms": 0.0, "uncertainty_ms": 0.0, "drift_ppm": 0.0}
    assert (worker.end().code, too_many.end().code) == (0, 2)


def test_a_machine_that_cannot_hold_its_share_ends_the_run_before_it_begins(
    here: Start, target: tuple[str, ...], bind: str, tmp_path: Path
) -> None:
    words = ("--connections", "400", "--processes", "1", "--set", "cohort=400", "--out", "run")
    run = here("run", *target, *words, "--machines", "1", "--bind", bind, cwd=tmp_path)
    worker = here("worker", "--master", bind, "--name", "small", cwd=tmp_path, files=300).end()
    ended = run.end()
    assert (worker.code, worker.err.count("\n")) == (3, 1), worker
    assert (ended.code, ended.err.count("\n")) == (3, 1), ended
    assert "400 connections a process, but a process may open 300 files" in worker.err
    assert ended.err.startswith("chatproof: machine small: ")


def test_other_accounts_than_the_runs_are_refused(
    here: Start, target: tuple[str, ...], bind: str, tmp_path: Path
) -> None:
    (tmp_path / "others.csv").write_text("nobody,nothing\n")
    run = here("run", *target, "--machines", "1", "--bind", bind, "--out", "run", cwd=tmp_path)
    worker = here("worker", "--master", bind, "--accounts", "others.csv", cwd=tmp_path).end()
    assert (worker.code, worker.err) == (
        2,
        "chatproof: others.csv is not the accounts file of the run: leave --accounts out\n",
    )
    assert run.end().code == 3


def test_waiting_for_machines_can_be_interrupted(
    here: Start, target: tuple[str, ...], bind: str, tmp_path: Path
) -> None:
    run = here("run", *target, "--machines", "2", "--bind", bind, "--out", "run", cwd=tmp_path)
    run.until("waiting for 2 machines")
    run.interrupt()
    ended = run.end()
    assert (ended.code, ended.err) == (130, "chatproof: interrupted when 0 of 2 machines joined\n")


def test_a_worker_without_a_master_says_where_it_looked(here: Start, bind: str, tmp_path: Path) -> None:
    ended = here("worker", "--master", bind, "--wait", "1s", cwd=tmp_path).end()
    assert (ended.code, ended.err.count("\n")) == (3, 1)
    assert f"no master answered on {bind} within 1 s" in ended.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("run", "--machines", "2"), "needs both --machines N and --bind HOST:PORT"),
        (("run", "--machines", "2", "--bind", "here"), "--bind 'here': write HOST:PORT"),
        (("run", "--machines", "0", "--bind", "127.0.0.1:1"), "--machines is at least 1, not 0"),
        (("run", "--machines", "2", "--bind", "127.0.0.1:5557"), "cannot reach the embedded server"),
        (
            ("run", "--network", "veth", "--machines", "2", "--bind", "127.0.0.1:5557"),
            "network of the run's own",
        ),
        (("worker", "--master", "10.0.0.1"), "--master '10.0.0.1': write HOST:PORT"),
        (("worker", "--master", "127.0.0.1:5557", "--source", "192.0.2.9"), "--source 192.0.2.9: "),
        (("worker", "--master", "127.0.0.1:5557", "--wait", "soon"), "--wait: "),
    ],
)
def test_wrong_use_is_one_line(here: Start, words: tuple[str, ...], says: str, tmp_path: Path) -> None:
    ended = here(*words, cwd=tmp_path).end()
    assert (ended.code, ended.err.count("\n")) == (2, 1), ended.err
    assert says in ended.err


def test_faults_on_the_path_need_an_address_that_machines_can_reach(
    here: Start, target: tuple[str, ...], bind: str, tmp_path: Path
) -> None:
    words = ("--fault", "latency=20ms at 1s", "--machines", "1", "--bind", f"*:{bind.rpartition(':')[2]}")
    ended = here("run", *target, *words, cwd=tmp_path).end()
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "--bind ADDRESS:" in ended.err

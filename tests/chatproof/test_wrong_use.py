"""A mistake costs its maker one line that says what, where and what to do, and nothing is left running."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from command_line import Ended, chatproof, one_line

from refserver.process import ServerProcess

_AT_ONCE = 4
_TINY = ("--connections", "20", "--duration", "3s")


@dataclass(frozen=True)
class Place:
    """What mistakes need beside words: `server`: a URL, `port`: one in use; files lie in `folder`."""

    folder: Path
    server: str
    port: int


@dataclass(frozen=True)
class Mistake:
    words: Callable[[Place], list[str]]
    code: int
    says: tuple[str, ...]
    limit: tuple[str, int] | None = None


def run(*words: str) -> Callable[[Place], list[str]]:
    return lambda place: ["run", *words]


def at_server(accounts: str, *words: str) -> Callable[[Place], list[str]]:
    return lambda place: ["run", "--target", place.server, "--accounts", accounts, *_TINY, *words]


MISTAKES = {
    "no such command": Mistake(lambda place: ["rnu"], 2, ("No such command 'rnu'", "chatproof --help")),
    "no such option": Mistake(run("--conections", "5"), 2, ("--conections", "chatproof run --help")),
    "unknown plan": Mistake(run("smoek"), 2, ("'smoek'", "smoke")),
    "missing plan": Mistake(run("no.toml"), 2, ("no.toml", "No such file")),
    "malformed plan": Mistake(run("broken.toml"), 2, ("broken.toml", "line 2")),
    "unknown scenario": Mistake(run("--scenario", "chta"), 2, ("scenario 'chta'", "chat, heartbeat")),
    "unknown fault": Mistake(run("--fault", "frame_los=5% at 1s for 1s"), 2, ("frame_los", "frame_loss")),
    "unknown threshold": Mistake(
        run("--threshold", "latency_ms.delivr.p99 < 5"),
        2,
        ("latency_ms.delivr.p99", "latency_ms.deliver.p99"),
    ),
    "unknown setting": Mistake(run("--set", "cohrt=5"), 2, ("cohrt=5", "cohort")),
    "malformed setting": Mistake(run("--set", "cohort=some"), 2, ("cohort=some", "int")),
    "a target without accounts": Mistake(run("--target", "chat+tcp://127.0.0.1:1"), 2, ("--accounts",)),
    "not a target": Mistake(
        run("--target", "ftp://127.0.0.1", "--accounts", "accounts.csv"), 2, ("ftp://127.0.0.1", "chat+tcp")
    ),
    "a target that cannot be reached": Mistake(
        run("--target", "chat+tcp://127.0.0.1:1", "--accounts", "accounts.csv", *_TINY),
        2,
        ("chat+tcp://127.0.0.1:1", "is the server running?"),
    ),
    "an unknown host": Mistake(
        run("--target", "chat+tcp://nobody.invalid:1", "--accounts", "accounts.csv", *_TINY),
        2,
        ("nobody.invalid",),
    ),
    "missing accounts": Mistake(at_server("no.csv"), 2, ("no.csv", "No such file")),
    "too few accounts": Mistake(at_server("few.csv"), 2, ("few.csv has 3 accounts", "20 connections")),
    "refused tokens": Mistake(at_server("wrong.csv"), 2, ("refused u0: 401", "wrong.csv")),
    "a folder that holds a run": Mistake(run("--out", "taken", *_TINY), 2, ("taken holds a run", "--out")),
    "a folder that cannot be": Mistake(run("--out", "file/run", *_TINY), 3, ("file/run", "--out")),
    "more connections than open files": Mistake(
        run("--connections", "2000", "--processes", "1"),
        3,
        ("300 files", "--processes", "ulimit -n"),
        ("RLIMIT_NOFILE", 300),
    ),
    "a served port in use": Mistake(
        lambda place: ["serve", "--data", "data", "--listen", f"tcp://127.0.0.1:{place.port}"],
        3,
        ("cannot listen on tcp://127.0.0.1:", "choose another"),
    ),
    "not an address to serve at": Mistake(
        lambda place: ["serve", "--data", "data", "--listen", "nowhere"], 2, ("'nowhere'", "tcp://HOST:PORT")
    ),
    "a proxy port in use": Mistake(
        lambda place: ["toxiproxy", "--host", "127.0.0.1", "--port", str(place.port)], 3, ("127.0.0.1",)
    ),
    "half a circle of accounts": Mistake(
        lambda place: ["accounts", "generate", "7", "--data", "data"], 2, ("circles of 5", "--circle")
    ),
    "a token of nobody": Mistake(
        lambda place: ["accounts", "token", "nobody", "--data", "data"], 2, ("nobody",)
    ),
    "a report of nothing": Mistake(lambda place: ["report", "nothing"], 2, ("nothing",)),
}


@pytest.fixture(scope="module")
def place(furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("mistakes")
    lines = (furnished / "accounts.csv").read_text().splitlines()
    (folder / "accounts.csv").write_text("\n".join(lines))
    (folder / "few.csv").write_text("\n".join(lines[:3]))
    (folder / "wrong.csv").write_text("".join(f"u{number},nonsense\n" for number in range(30)))
    (folder / "broken.toml").write_text('scenario = "chat"\nconnections = = 5\n')
    (folder / "taken" / "ledger").mkdir(parents=True)
    (folder / "file").touch()
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        ServerProcess(folder / "data", http=False) as server,
    ):
        yield Place(folder, f"chat+{server.tcp_urls[0]}", taken.getsockname()[1])


@pytest.fixture(scope="module")
def told(place: Place) -> dict[str, Future[Ended]]:
    """What came of each mistake; they are made side by side, because starting takes a second each."""

    def make(mistake: Mistake) -> Ended:
        return chatproof(*mistake.words(place), cwd=place.folder, limit=mistake.limit)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return {name: pool.submit(make, mistake) for name, mistake in MISTAKES.items()}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_costs_one_line(name: str, told: dict[str, Future[Ended]]) -> None:
    ended, mistake = told[name].result(), MISTAKES[name]
    assert list(one_line(ended)) == []
    assert [word for word in mistake.says if word not in ended.err] == [], ended.err
    assert ended.code == mistake.code, ended.err

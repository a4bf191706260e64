"""`locust -f scenarios/chat.py` as Locust's own documentation would have it, without `chatproof`."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
import polars as pl
import pytest

import scenarios
from chatproof.target import make_accounts
from ledger.reader import Ledger
from ledger.run_folder import RunFolder
from refserver import accounts
from refserver.process import ServerProcess

_FILE = str(Path(scenarios.__file__).with_name("chat.py"))
COHORTS, COHORT = 4, 20
_CHAT = ("--away-share", "0", "--cohort", str(COHORT), "--send-rate", "10", "--loglevel", "INFO")
_WAIT_S = 120.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    data = tmp_path_factory.mktemp("server")
    users = make_accounts(data, 15 * COHORTS, 5)
    accounts.tokens(data, users, 3600.0, data / "accounts.csv")
    with ServerProcess(data, http=False) as server:
        yield server


@pytest.fixture
def locust(server: ServerProcess, tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """`locust(…)` starts one with the server's address and accounts; all have ended when the test has."""
    started = []

    def start(*words: str, alone: bool = True) -> "subprocess.Popen[str]":
        given = ("--host", f"chat+{server.tcp_urls[0]}", "--accounts", str(server.data_dir / "accounts.csv"))
        log = (tmp_path / f"locust-{len(started)}.log").open("w")
        process = subprocess.Popen(
            [sys.executable, "-m", "locust", "-f", _FILE, *(given if alone else ()), *words],
            cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=log, stderr=log, text=True, start_new_session=True,
        )  # fmt: skip
        log.close()
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def run_folders(where: Path) -> list[RunFolder]:
    return [RunFolder(path) for path in sorted((where / "runs").iterdir())]


def assert_true_counts(folder: RunFolder, requests: dict[str, int], connections: int) -> None:
    """Locust's numbers are those of the ledger, and the ledger's are good."""
    summary = folder.load_summary()
    rows = Ledger.open(folder).rows.group_by("event").len().collect()
    events = {str(event): count for event, count in rows.iter_rows()}
    completeness = summary["checks"]["completeness"]
    assert summary["verdict"] == "pass", completeness
    assert events["login"] == events["settled"] == requests["login"] == connections
    assert summary["connections"]["peak"] == connections
    assert events["acked"] == completeness["acked"] == requests["acknowledge"] > 0
    # What earlier runs left in the inboxes is shown, and counted apart.
    delivered = events["delivered"] - completeness["foreign"]
    assert delivered == completeness["ok"] + completeness["late"] == requests["deliver"] > 0
    assert summary["heartbeats"]["answered"] == requests["heartbeat"]
    devices = pl.read_parquet(folder.devices)
    assert devices["device"].to_list() == list(range(connections))


def headless_counts(log: str) -> dict[str, int]:
    """Requests by name, of the last table that Locust printed, without those that failed."""
    found = re.findall(r"^\w+ +([a-z]+) +(\d+) +(\d+)\(", log, re.MULTILINE)
    return {name: int(count) - int(failed) for name, count, failed in found}


@pytest.mark.parametrize("processes", [(), ("--processes", "2")], ids=["one process", "two processes"])
def test_a_headless_run_counts_truly_and_is_judged(
    processes: tuple[str, ...],
    locust: Callable[..., Any],
    reserved_port: Callable[[], int],
    tmp_path: Path,
) -> None:
    if processes:
        port = str(reserved_port())
        processes += ("--master-bind-port", port, "--master-port", port)
    run = locust("--headless", "-u", str(COHORTS), "-r", "8", "-t", "4s", *processes, *_CHAT)
    code = run.wait(_WAIT_S)
    log = (tmp_path / "locust-0.log").read_text()
    assert code == 0, log
    assert "Traceback" not in log
    (folder,) = run_folders(tmp_path)
    assert_true_counts(folder, headless_counts(log), COHORTS * COHORT)
    assert f"verdict pass; for the report: chatproof report runs/{folder.path.name}" in log


def test_a_master_and_workers_apart(
    locust: Callable[..., Any], reserved_port: Callable[[], int], tmp_path: Path
) -> None:
    port = str(reserved_port())
    master = locust(
        "--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--expect-workers", "2",
        "--headless", "-u", str(COHORTS), "-r", "8", "-t", "4s", *_CHAT,
    )  # fmt: skip
    workers = [
        locust("--worker", "--master-host", "127.0.0.1", "--master-port", port, alone=False) for _ in range(2)
    ]
    assert master.wait(_WAIT_S) == 0, (tmp_path / "locust-0.log").read_text()
    assert [worker.wait(_WAIT_S) for worker in workers] == [0, 0]
    (folder,) = run_folders(tmp_path)
    log = (tmp_path / "locust-0.log").read_text()
    assert_true_counts(folder, headless_counts(log), COHORTS * COHORT)
    assert len(list(folder.ledger.glob("*.parquet"))) == 2


class Page:
    """Locust's web page."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def get(self, path: str) -> str:
        with urllib.request.urlopen(self._url + path, timeout=_WAIT_S) as answer:
            return answer.read().decode()

    def post(self, path: str, **form: str) -> Any:
        data = urllib.parse.urlencode(form).encode()
        with urllib.request.urlopen(self._url + path, data=data, timeout=_WAIT_S) as answer:
            return json.load(answer)

    def stats(self) -> Any:
        return json.loads(self.get("/stats/requests"))

    def counts(self) -> dict[str, int]:
        return {each["name"]: each["num_requests"] - each["num_failures"] for each in self.stats()["stats"]}


def until(holds: Callable[[], bool]) -> None:
    with gevent.Timeout(_WAIT_S):
        while not holds():
            gevent.sleep(0.1)


@pytest.fixture
def page(locust: Callable[..., Any], reserved_port: Callable[[], int], tmp_path: Path) -> Page:
    port = reserved_port()
    process = locust("--web-host", "127.0.0.1", "--web-port", str(port), "--loglevel", "INFO")
    page = Page(port)

    def answers() -> bool:
        assert process.poll() is None, (tmp_path / "locust-0.log").read_text()
        try:
            return bool(page.get("/"))
        except OSError:
            return False

    until(answers)
    return page


def test_the_web_page_sets_starts_shows_and_stops_runs(page: Page, tmp_path: Path) -> None:
    form = page.get("/")
    for word in ('"cohort"', '"away_share"', "connections that one Locust user holds"):
        assert word in form
    assert '"show_userclass_picker": true' in form
    answer = page.post(
        "/swarm", user_count=str(COHORTS), spawn_rate="8", user_classes="Chat", cohort=str(COHORT),
        away_share="0", send_rate="10",
    )  # fmt: skip
    assert answer["success"], answer
    assert answer["user_classes"] == ["Chat"]
    until(lambda: page.counts().get("login", 0) >= COHORTS * COHORT and page.counts().get("deliver", 0) > 100)
    assert page.stats()["user_count"] == COHORTS
    assert page.post("/stop")["success"]
    until(lambda: page.stats()["state"] == "stopped")
    (first,) = run_folders(tmp_path)
    until(first.junit.exists)
    assert_true_counts(first, page.counts(), COHORTS * COHORT)

    # Once more, without a word about the folder: it has one of its own.
    page.post("/swarm", user_count="1", spawn_rate="8", cohort=str(COHORT), away_share="0")
    # Long enough for a sample of a second with all of them.
    until(lambda: page.counts().get("login") == COHORT and page.counts().get("deliver", 0) > 40)
    page.post("/stop")
    until(lambda: page.stats()["state"] == "stopped")
    _, second = run_folders(tmp_path)
    until(second.junit.exists)
    assert_true_counts(second, page.counts(), COHORT)


def test_wrong_options_are_told_and_end_a_headless_run(locust: Callable[..., Any], tmp_path: Path) -> None:
    run = locust("--headless", "-u", "9", "-r", "9", "-t", "60s", *_CHAT)
    assert run.wait(_WAIT_S) == 2
    log = (tmp_path / "locust-0.log").read_text()
    assert "account 75 was asked for, but there are 60" in log

"""A swarm in this process against a server in another: it comes, chats, goes, comes back and settles."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gevent
import polars as pl
import pytest
from locust.stats import RequestStats

from chatproof.target import make_accounts
from ledger.errors import LedgerError
from ledger.judging import judge
from ledger.run_folder import Phases, RunFolder
from refserver import accounts
from refserver.process import ServerProcess
from scenarios.cohort import Cohort
from scenarios.options import SwarmOptions, source_addresses
from scenarios.swarm import Swarm

COHORTS, COHORT, USERS = 2, 20, 15
_WAIT_S = 120.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    data = tmp_path_factory.mktemp("server")
    accounts.tokens(data, make_accounts(data, USERS * COHORTS, 5), 3600.0, data / "accounts.csv")
    with ServerProcess(data, http=False) as server:
        yield server


class Life:
    """A swarm with all its cohorts online, and the run folder it leaves."""

    def __init__(self, server: ServerProcess, folder: RunFolder, options: SwarmOptions, chats: bool) -> None:
        self.folder = folder
        self.options = options
        self.stats = RequestStats()
        self.started_ns = time.monotonic_ns()
        self.swarm = Swarm(f"chat+{server.tcp_urls[0]}", options, "swarm-1", self.stats)
        self.cohorts = [self.swarm.add(number, chats=chats) for number in range(COHORTS)]
        for cohort in self.cohorts:
            cohort.start()
        assert all(cohort.await_online(_WAIT_S) for cohort in self.cohorts)
        self.load_ns = time.monotonic_ns()
        for cohort in self.cohorts:
            self.swarm.begin(cohort)

    @property
    def messages(self) -> dict[str, int]:
        return self.swarm.stage.recorder.messages

    def until(self, holds: Callable[[], bool]) -> None:
        with gevent.Timeout(_WAIT_S):
            while not holds():
                gevent.sleep(0.02)

    def finish(self) -> dict[str, Any]:
        """Settled, closed and judged: the summary."""
        load_end_ns = time.monotonic_ns()
        self.swarm.settle()
        phases = Phases(self.started_ns, self.load_ns, load_end_ns, time.monotonic_ns())
        population, roster = self.swarm.stage.population, self.swarm.stage.roster
        self.swarm.close()
        self.folder.save_phases(phases)
        self.folder.save_environment({"scenario": "chat", "target": "", "seed": 1, "heartbeat_s": 30})
        names = [roster.user(user) for user in range(COHORTS * USERS)]
        user_of, device_name = population.user_of, population.device_name
        devices = range(COHORTS * COHORT)
        circles = [list(enumerate(circle)) for circle in population.circles(COHORTS)]
        conversations, members = [], []
        for index, circle in enumerate(circles):
            first = index * population.conversations
            ids = [user for _, user in circle]
            for place, name in enumerate(population.conversation_names([names[user] for user in ids])):
                conversations.append((first + place, name))
            for place, users in enumerate(population.conversation_members(range(ids[0], ids[-1] + 1))):
                members += [(first + place, user) for user in users]
        self.folder.write_tables(
            [(each, user_of(each), names[user_of(each)], device_name(each)) for each in devices],
            conversations,
            members,
        )
        return judge(self.folder)

    def events(self) -> list[str]:
        return pl.read_parquet(self.folder.ledger / "swarm-1.parquet")["event"].to_list()


@pytest.fixture
def live(server: ServerProcess, tmp_path: Path) -> Iterator[Callable[..., Life]]:
    lives = []

    def begin(*, chats: bool = True, **more: Any) -> Life:
        options = SwarmOptions(
            cohort=COHORT, accounts=str(server.data_dir / "accounts.csv"), run_dir=str(tmp_path / "run"),
            send_rate=60.0, away_for=0.3,
        )  # fmt: skip
        folder = RunFolder(tmp_path / "run")
        lives.append(Life(server, folder, replace(options, **more), chats))
        return lives[-1]

    yield begin
    for life in lives:
        life.swarm.stage.pump.close()


def test_a_swarm_chats_and_settles_and_everything_is_accounted_for(live: Callable[..., Life]) -> None:
    life = live(away_share=0.0)
    life.until(lambda: life.messages["sent"] >= 200)
    summary = life.finish()
    completeness = summary["checks"]["completeness"]
    assert completeness["verdict"] == "pass", completeness
    assert summary["checks"]["ordering"]["verdict"] == summary["checks"]["unread"]["verdict"] == "pass"
    assert completeness["sent"] == completeness["acked"] == life.messages["sent"]
    assert completeness["expected"] == completeness["ok"] + completeness["late"] == life.messages["delivered"]
    assert life.events().count("settled") == COHORTS * COHORT
    assert life.swarm.sends["started"] == life.messages["sent"]
    deliver = life.stats.get("deliver", "RECV")
    assert (deliver.num_requests, deliver.num_failures) == (life.messages["delivered"], 0)


def test_devices_leave_and_come_back_and_miss_nothing(live: Callable[..., Life]) -> None:
    life = live(away_share=0.5)
    life.until(lambda: life.messages["sent"] >= 200 and life.swarm.stage.recorder.opened > 60)
    summary = life.finish()
    assert summary["checks"]["completeness"]["verdict"] == "pass", summary["checks"]["completeness"]
    events = life.events()
    assert events.count("offline") == events.count("online") > 0
    assert events.count("login") == COHORTS * COHORT + events.count("online")
    assert summary["connections"]["dropped"] == 0, "leaving on purpose is no fault"


def test_devices_without_chat_only_beat(live: Callable[..., Life]) -> None:
    life = live(chats=False, heartbeat=1)
    life.until(lambda: life.swarm.stage.recorder.beats["answered"] >= COHORTS * COHORT)
    life.finish()
    # What earlier tests left in the inboxes is pulled, by idle devices too.
    assert set(life.events()) - {"gap", "delivered"} == {"login", "closed"}
    assert life.messages["sent"] == 0


def test_settling_twice_is_settling_once(live: Callable[..., Life]) -> None:
    life = live(away_share=0.0)
    life.swarm.settle()
    life.swarm.settle()
    life.finish()
    assert life.events().count("settled") == COHORTS * COHORT


def test_what_was_abandoned_is_not_settled(live: Callable[..., Life]) -> None:
    life = live(away_share=0.0)
    life.swarm.abandon()
    life.finish()
    assert not {"settled", "unsettled"} & set(life.events())


def test_nobody_settles_when_the_server_is_gone(tmp_path: Path, live: Callable[..., Life]) -> None:
    data = tmp_path / "server"
    accounts.tokens(data, make_accounts(data, USERS * COHORTS, 5), 3600.0, data / "accounts.csv")
    server = ServerProcess(data, http=False).start()
    options = SwarmOptions(
        cohort=COHORT, accounts=str(data / "accounts.csv"), run_dir=str(tmp_path / "run"), settle_timeout=1.0
    )
    life = Life(server, RunFolder(tmp_path / "run"), options, chats=True)
    life.until(lambda: life.messages["sent"] > 0)
    server.kill()
    summary = life.finish()
    assert life.events().count("unsettled") == COHORTS * COHORT
    checks = {name: check["verdict"] for name, check in summary["checks"].items()}
    assert checks["completeness"] == "unknown", checks


def test_without_a_run_folder_there_is_no_swarm(server: ServerProcess) -> None:
    options = SwarmOptions(accounts=str(server.data_dir / "accounts.csv"))
    with pytest.raises(LedgerError, match="--run-dir"):
        Swarm(f"chat+{server.tcp_urls[0]}", options, "swarm-1", RequestStats())


def test_the_same_seed_chooses_the_same_leavers(live: Callable[..., Life]) -> None:
    life = live(away_share=0.0)
    again = Cohort(life.swarm.stage, 0, chats=True)
    other = Cohort(life.swarm.stage, 1, chats=True)
    choices = [cohort._dice.sample(range(COHORT), 5) for cohort in (Cohort(life.swarm.stage, 0, chats=True),
                                                                  again, other)]  # fmt: skip
    assert choices[0] == choices[1] != choices[2]


@pytest.mark.parametrize(("count", "first"), [(0, ()), (1, ()), (2, ("127.0.0.2", "127.0.0.3"))])
def test_sources_are_loopback_addresses(count: int, first: tuple[str, ...]) -> None:
    assert source_addresses(count) == first


def test_many_sources_are_all_different() -> None:
    many = source_addresses(1000)
    assert len(set(many)) == 1000
    assert "127.0.0.1" not in many

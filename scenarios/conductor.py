"""The master's side of a run, or a local runner's: numbers the cohorts, keeps the phases, ends the run.

Locust stops users only after its `test_stopping` listeners have returned, so the settling phase takes place
there: the master asks every worker to settle and waits for them.
"""

import logging
import time
from argparse import Namespace
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import gevent
from gevent.event import Event
from locust.env import Environment
from locust.rpc import Message
from locust.runners import MasterRunner

from chaos.desk import FaultDesk
from chaos.errors import ChaosError
from drivers.accounts import AccountsFile
from drivers.endpoints import TargetError, parse_target
from ledger.errors import LedgerError
from ledger.judging import judge
from ledger.run_folder import Phases, RunFolder
from ledger.summary import exit_code
from scenarios.breaking import Breakage, BreakOptions
from scenarios.capabilities import promises
from scenarios.conclusion import Conclusion
from scenarios.machine import describe
from scenarios.options import population_of
from scenarios.player import Player
from scenarios.repeating import command_of
from scenarios.run_dirs import new_run_dir
from scenarios.stage import PopulationRoster
from scenarios.words import (
    PREFIX,
    THROUGH,
    WRONG_USE,
    access_points_of,
    options_of,
    runner_of,
)

log = logging.getLogger(__name__)

_CLOSE_TIMEOUT_S = 60.0
_COUNTED = ("messages", "beats", "deliveries", "connects", "sends")
"""The parts of a snapshot that are counts by name."""


class Phase(StrEnum):
    """How far a run is."""

    READY = "ready"
    RAMP = "ramp"
    LOAD = "load"
    SETTLING = "settling"
    JUDGING = "judging"
    OVER = "over"


class Conductor:
    """`broken`: why the run cannot go on, None while it can. `folder`: of the run under way or the last one.
    `desk`: where faults can be added, once a run has one. `conclusion`: of the last run that was judged by a
    process of its own.

    `player`: the swarm side of the same process, with a local runner. `judges`: it also says the verdict when
    a run ends, and at once why one cannot go on, as somebody who started Locust himself expects.
    """

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self.player: Player | None = None
        self._next_cohort = 0
        self._settled: set[str] = set()
        self._closed: set[str] = set()
        self._news = Event()
        self._abandoned = False
        self._given_up = False
        self._breakage: Breakage | None = None
        self.judges = True
        self.phase = Phase.READY
        self.desk: FaultDesk | None = None
        self.conclusion: Conclusion | None = None
        self._concluding: gevent.Greenlet[..., None] | None = None
        self._phases = Phases(0, 0, 0, 0)
        self.snapshots: dict[str, dict[str, Any]] = {}
        self.broken: str | None = None
        self._made_dir = ""
        self._around: dict[str, Any] | None = None
        self.folder: RunFolder | None = None
        runner = runner_of(environment)
        runner.register_message(PREFIX + "claim", self._on_claim)
        runner.register_message(PREFIX + "settled", self._on_settled)
        runner.register_message(PREFIX + "closed", self._on_closed)
        runner.register_message(PREFIX + "broken", self._on_broken)
        environment.events.test_start.add_listener(self._on_test_start)
        environment.events.spawning_complete.add_listener(self._on_spawning_complete)
        environment.events.test_stopping.add_listener(self._on_test_stopping)
        environment.events.test_stop.add_listener(self._on_test_stop)
        environment.events.worker_report.add_listener(self._on_worker_report)
        environment.events.quit.add_listener(self._on_quit)

    def begin(self) -> None:
        """Everybody starts chatting now."""
        self._phases = replace(self._phases, load_start_ns=time.monotonic_ns())
        self.phase = Phase.LOAD
        runner_of(self._environment).send_message(PREFIX + "begin", {})

    def cut(self, share: float) -> None:
        """That share of every process's connections is reset at once (chaos.levers.SwarmLever)."""
        runner_of(self._environment).send_message(PREFIX + "cut", {"share": share})

    def move(self) -> None:
        """Every process's clients are in another network (chaos.levers.SwarmLever)."""
        runner_of(self._environment).send_message(PREFIX + "move", {})

    def resolve(self, kind: str) -> None:
        """Everybody asks a resolver of that kind (chaos.levers.SwarmLever). Raises ChaosError."""
        urls = (self._environment.host or "", *options_of(self._environment).endpoints.split())
        if all(parse_target(url).origin is None for url in urls):
            raise ChaosError("nobody asks a resolver: the target has to be a scheduler's URL, or the ladder")
        runner_of(self._environment).send_message(PREFIX + "resolve", {"kind": kind})

    def abandon(self) -> None:
        """The run could not begin: nobody has to settle."""
        self._abandoned = True
        runner_of(self._environment).send_message(PREFIX + "abandon", {})

    def give_up(self) -> None:
        """Nobody is waited for any more, and nothing is judged: whoever does not answer may never do."""
        self._given_up = True

    def interrupted(self) -> None:
        """The run ends before its time; the report will say so."""
        self._phases = replace(self._phases, interrupted=True)

    def totals(self) -> dict[str, Any]:
        """Sums over all processes: connections, target, messages, beats, deliveries, connects and sends by
        name; `health` is of the worst process, its `rss_bytes` of all, and `processes` how many there are."""
        sums: dict[str, Any] = {"connections": 0, "target": 0, "processes": 0}
        sums |= {part: {} for part in _COUNTED}
        sums["health"] = health = {"loop_lag_ms": 0.0, "cpu_share": 0.0, "rss_bytes": 0}
        for snapshot in self._fresh_snapshots():
            sums["connections"] += snapshot["connections"]
            sums["target"] += snapshot["target"]
            sums["processes"] += 1
            for part in _COUNTED:
                for name, count in snapshot[part].items():
                    sums[part][name] = sums[part].get(name, 0) + count
            for name in ("loop_lag_ms", "cpu_share"):
                health[name] = max(health[name], snapshot["health"][name])
            health["rss_bytes"] += snapshot["health"]["rss_bytes"]
        return sums

    def _fresh_snapshots(self) -> list[dict[str, Any]]:
        if self.player is not None and self.player.swarm is not None:
            return [self.player.swarm.snapshot()]
        return list(self.snapshots.values())

    def _on_claim(self, environment: Environment, msg: Message, **_: Any) -> None:
        number, self._next_cohort = self._next_cohort, self._next_cohort + 1
        answer = {"claim": msg.data["claim"], "number": number}
        runner_of(environment).send_message(PREFIX + "number", answer, msg.node_id)

    def _on_test_start(self, environment: Environment, **_: Any) -> None:
        options = options_of(environment)
        self._next_cohort = 0
        self._settled.clear()
        self._closed.clear()
        self.snapshots.clear()
        self.broken = None
        self._abandoned = False
        self.phase = Phase.RAMP
        self._phases = Phases(time.monotonic_ns(), 0, 0, 0)
        try:
            self._open_folder(environment)
        except (OSError, LedgerError) as error:
            self.folder = None
            vars(environment.parsed_options)["run_dir"] = ""
            self._break(f"{error}; name another folder with --run-dir")
            return
        assert self.folder is not None
        self._around = None
        try:
            if not self.folder.environment.exists():
                self._around = {
                    "target": environment.host or "",
                    **promises(environment.host or ""),
                    "scenario": ", ".join(sorted(kind.__name__.lower() for kind in environment.user_classes)),
                    "seed": options.seed,
                    "heartbeat_s": options.heartbeat,
                    "command": command_of(environment),
                    "machine": describe(),
                }
                self.folder.save_environment(self._around)
            if self.judges:
                self._open_desk(environment, self.folder)
        except (LedgerError, TargetError, ChaosError) as error:
            self._break(str(error))

    def _open_desk(self, environment: Environment, folder: RunFolder) -> None:
        """Faults can be added, and proxies stand before the target if they are wanted. Raises ChaosError,
        TargetError."""
        self.desk = None
        parsed: dict[str, Any] = vars(environment.parsed_options) if environment.parsed_options else {}
        parsed[THROUGH] = ""
        options = BreakOptions.from_namespace(Namespace(**parsed))
        urls, seed = access_points_of(environment), options_of(environment).seed
        self._breakage = Breakage(options, urls, self, folder, seed)
        self.desk = self._breakage.desk
        if options.proxies:
            parsed[THROUGH] = " ".join(self._breakage.urls)

    def _open_folder(self, environment: Environment) -> None:
        """The folder of the run exists, and workers know it. Raises OSError or LedgerError."""
        asked = options_of(environment).run_dir
        if asked in ("", self._made_dir):
            # Nobody asked for one, or for none since one was made for the run before.
            asked = self._made_dir = str(new_run_dir())
        folder = RunFolder(Path(asked))
        folder.create()
        if any(folder.ledger.iterdir()):
            raise LedgerError(f"{asked} holds a run already")
        # Workers get it with the other options when Locust asks them to spawn.
        vars(environment.parsed_options)["run_dir"] = asked
        self.folder = folder

    def _on_spawning_complete(self, user_count: int, **_: Any) -> None:
        if not self._phases.load_start_ns and not options_of(self._environment).on_command:
            self._phases = replace(self._phases, load_start_ns=time.monotonic_ns())
            self.phase = Phase.LOAD
            if self._breakage is not None:
                self._breakage.begin()

    def _on_test_stopping(self, environment: Environment, **_: Any) -> None:
        if self._given_up:
            return
        now = time.monotonic_ns()
        self.phase = Phase.SETTLING
        if self._breakage is not None:
            self._breakage.heal()
        self._phases = replace(self._phases, load_start_ns=self._phases.load_start_ns or now, load_end_ns=now)
        settle_s = options_of(environment).settle_timeout
        players = self._players()
        if players and self.broken is None and not self._abandoned:
            log.info("settling: every device catches up before it is judged")
            runner_of(environment).send_message(PREFIX + "settle", {})
            if not self._await(self._settled, players, settle_s * 2 + 10):
                log.error("not every worker settled in time: what it owes stays undetermined")
        self._phases = replace(self._phases, settle_end_ns=time.monotonic_ns())

    def _on_test_stop(self, environment: Environment, **_: Any) -> None:
        if self._given_up:
            return
        # Locust does not tell its workers to stop when the master quits, so they are told here.
        runner_of(environment).send_message(PREFIX + "close", {})
        if not self._await(self._closed, self._players(), _CLOSE_TIMEOUT_S):
            log.error("not every worker closed its ledger in time")
        if self._breakage is not None:
            self._breakage.close()
            self._breakage = None
        self.phase = Phase.JUDGING if self.broken is None else Phase.OVER
        if self.folder is None:
            return
        try:
            self.folder.save_phases(self._phases)
            self._note_command(self.folder)
            if self.broken is None:
                self._write_tables(self.folder)
                if self.judges:
                    self._judge(self.folder)
        except WRONG_USE as error:
            self._break(str(error))
            self.phase = Phase.OVER

    def _note_command(self, folder: RunFolder) -> None:
        """The command repeats also what was decided while the run went on: its length and its faults."""
        if self._around is None or self.desk is None:
            return
        phases, faults = self._phases, self.desk.added(self._phases.load_start_ns)
        took_s = (phases.load_end_ns - phases.start_ns) / 1e9
        self._around["command"] = command_of(self._environment, took_s, faults)
        folder.save_environment(self._around)

    def _judge(self, folder: RunFolder) -> None:
        if self._environment.web_ui is not None:
            self.conclusion = Conclusion(folder)
            self._concluding = gevent.spawn(self._conclude, self.conclusion)
            return
        self._say(judge(folder), f"for the report: chatproof report {folder.path}")
        self.phase = Phase.OVER

    def _conclude(self, conclusion: Conclusion) -> None:
        conclusion.draw()
        if conclusion.summary is not None:
            self._say(conclusion.summary, f"report {conclusion.folder.report}")
        if self.conclusion is conclusion and self.phase is Phase.JUDGING:
            self.phase = Phase.OVER

    def _say(self, summary: dict[str, Any], where: str) -> None:
        log.info(f"verdict {summary['verdict']}; {where}")
        if exit_code(summary):
            self._environment.process_exit_code = exit_code(summary)

    def _on_quit(self, **_: Any) -> None:
        if self._concluding is not None:
            self._concluding.join()

    def _write_tables(self, folder: RunFolder) -> None:
        options = options_of(self._environment)
        population = population_of(options)
        cohorts = self._next_cohort
        chats = any(getattr(kind, "chats", False) for kind in self._environment.user_classes)
        with AccountsFile(Path(options.accounts)) as accounts:
            roster = PopulationRoster(population, accounts)
            names = [roster.user(number) for number in range(cohorts * population.users)]
        devices = (
            (
                device,
                population.user_of(device),
                names[population.user_of(device)],
                population.device_name(device),
            )
            for device in range(cohorts * population.cohort_size)
        )
        circles = list(population.circles(cohorts)) if chats else []
        conversations = (
            (circle.start // population.circle * population.conversations + place, name)
            for circle in circles
            for place, name in enumerate(population.conversation_names([names[user] for user in circle]))
        )
        members = (
            (circle.start // population.circle * population.conversations + place, user)
            for circle in circles
            for place, users in enumerate(population.conversation_members(circle))
            for user in users
        )
        folder.write_tables(devices, conversations, members)

    def _players(self) -> set[str]:
        runner = runner_of(self._environment)
        if isinstance(runner, MasterRunner):
            return {client.id for client in runner.clients.all}
        return {"local"}

    def _await(self, done: set[str], players: set[str], timeout_s: float) -> bool:
        until = time.monotonic() + timeout_s
        while not players <= done:
            self._news.clear()
            left = until - time.monotonic()
            if left <= 0:
                return False
            self._news.wait(min(left, 1.0))
            players &= self._players() | done
        return True

    def _on_settled(self, environment: Environment, msg: Message, **_: Any) -> None:
        self._settled.add(msg.node_id)
        self._news.set()

    def _on_closed(self, environment: Environment, msg: Message, **_: Any) -> None:
        self._closed.add(msg.node_id)
        if msg.data["snapshot"] is not None:
            self.snapshots[msg.node_id] = msg.data["snapshot"]
        if msg.data["why"] is not None:
            self.broken = self.broken or msg.data["why"]
        self._news.set()

    def _on_broken(self, environment: Environment, msg: Message, **_: Any) -> None:
        self._break(msg.data["why"])

    def _on_worker_report(self, client_id: str, data: dict[str, Any], **_: Any) -> None:
        snapshot = data.pop("chatproof", None)
        if snapshot is not None:
            self.snapshots[client_id] = snapshot
            if snapshot["broken"] is not None:
                self._break(snapshot["broken"])

    def _break(self, why: str) -> None:
        if self.broken is None:
            self.broken = why
            if self.judges:
                log.error(why)
            self._environment.process_exit_code = 2
            self.abandon()
            runner = runner_of(self._environment)
            # A web page stays to be read, and whoever does not let us judge ends the run himself.
            ends = self.judges and self._environment.web_ui is None
            gevent.spawn(runner.quit if ends else runner.stop)

"""The engine of one process: its pump, its cohorts, its open-model sends, its ledger and its samples."""

import gc
import hashlib
import os
import random
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import gevent
from gevent.lock import RLock
from locust.stats import RequestStats

from drivers.accounts import AccountsFile
from drivers.client import Client, State, Surroundings
from drivers.endpoints import TargetError, parse_target
from drivers.policy import Policy
from drivers.pumps.epoll import EpollPump
from drivers.pumps.resolve import resolved
from ledger.errors import LedgerError
from ledger.histograms import Histograms, as_text
from ledger.run_folder import RunFolder
from ledger.samples import SampleWriter
from ledger.schema import Event
from ledger.writer import FLUSH_ROWS, LedgerWriter
from protocol.messages import Entry
from reactor.alarms import Alarms
from reactor.pauses import Pauses
from reactor.wheel import Ticker
from scenarios import resolvers
from scenarios.cohort import Cohort
from scenarios.letters import Stationery
from scenarios.machine import open_descriptors, own_memory
from scenarios.options import SwarmOptions, population_of, source_addresses
from scenarios.ports import PortBook
from scenarios.recorder import Recorder
from scenarios.stage import PopulationRoster, Stage
from scenarios.totals import Totals
from scenarios.wire import FEW, MOST, WireTap

LATE_SEND_S = 0.05
_SEND_PAUSE_S = 0.002
_SEND_TURN_S = 0.005


class Swarm:
    """Made when a run starts in this process, closed when it ends."""

    def __init__(
        self, host: str, options: SwarmOptions, process: str, stats: RequestStats, sources: Sequence[str] = ()
    ) -> None:
        """`sources`: addresses to connect from, as `options` says if there are none.

        Raises TargetError, AccountsError, PopulationError or LedgerError, each one line.
        """
        if not Path(options.accounts).exists():
            raise TargetError(
                f"no accounts file {options.accounts or '(none named)'}: name one with --accounts "
                f"(chatproof serve and chatproof accounts make them)"
            )
        if not options.run_dir:
            raise LedgerError("there is no run folder to write to: name one with --run-dir")
        endpoints = tuple(resolved(parse_target(url)) for url in [host, *options.endpoints.split()])
        population = population_of(options)
        folder = RunFolder(Path(options.run_dir))
        folder.create()
        accounts = AccountsFile(Path(options.accounts), folder.accounts_index)
        run = hashlib.blake2b(f"{options.run_dir}/{options.seed}".encode(), digest_size=4).digest()
        stationery = Stationery(run)
        self._ledger = LedgerWriter(folder.ledger, process)
        self._samples = SampleWriter(folder.processes, process)
        self._histograms = Histograms()
        self._totals = Totals(stats)
        recorder = Recorder(self._ledger, self._histograms, self._totals, stationery, population.audience)
        recorder.on_delivered = self._delivered
        recorder.ports = self._ports = PortBook.of(folder.path, process)
        enters_rooms = any(endpoint.dialect.enters_rooms for endpoint in endpoints)
        roster = PopulationRoster(population, accounts, enters_rooms=enters_rooms)
        policy = Policy(heartbeat_s=options.heartbeat, dice=random.Random(f"{options.seed}/{process}"))
        self.stage = Stage(
            options=options,
            run=run,
            population=population,
            roster=roster,
            surroundings=Surroundings(endpoints, roster, policy, recorder.observe),
            pump=EpollPump(
                sources=sources
                or tuple(options.source_addresses.split())
                or source_addresses(options.sources),
                max_handshakes=options.handshakes,
                connect_rate=options.connect_rate,
                pace_s=options.pace,
            ),
            recorder=recorder,
            stationery=stationery,
            alarms=Alarms(),
            turn=RLock(),
        )
        self.cohorts: dict[int, Cohort] = {}
        self.sends = {"started": 0, "late": 0}
        self._health = {"loop_lag_ms": 0.0, "cpu_share": 0.0, "rss_bytes": 0}
        self._last_cpu = (time.monotonic(), 0.0)
        self._dice = random.Random(f"{options.seed}/sends/{process}")
        self._next_send = 0.0
        self._send_armed = False
        self._moves = 0
        self._wire = WireTap(FEW if options.pace else MOST, random.Random(f"{options.seed}/wire/{process}"))
        warm_up()
        # A full collection over everything that was ever imported stops the loop for a tenth of a second,
        # every few seconds under load. None of it will ever be garbage.
        gc.collect()
        gc.freeze()
        self._pauses = Pauses()
        self._second = Ticker(1.0, self._each_second)
        self._each_second()

    # -- cohorts --

    def add(self, number: int, *, chats: bool) -> Cohort:
        """A new cohort of this process; not started yet. `chats`: if it is one of those that do."""
        chats = chats and self.stage.population.chats(number)
        cohort = self.cohorts[number] = Cohort(self.stage, number, chats=chats)
        return cohort

    def begin(self, cohort: Cohort) -> None:
        """The cohort takes part in the sending from now on, if it is one that chats."""
        if not cohort.chats:
            return
        cohort.chat()
        if not self._send_armed:
            self._send_armed = True
            self._next_send = time.monotonic()
            self._send_due()

    def cut(self, share: float) -> None:
        """A share of the connections of this process is reset without a word, and their clients come back."""
        online = [
            client
            for cohort in self.cohorts.values()
            for client in cohort.clients
            if client.state is State.ONLINE
        ]
        for client in self._dice.sample(online, round(len(online) * share)):
            self.stage.pump.cut(client)

    def move(self) -> None:
        """The clients of this process are in another network: no way in is known there, nothing lasts."""
        self._moves += 1
        ladder = self.stage.surroundings.ladder
        if ladder is not None:
            ladder.on_network(f"network {self._moves}", time.monotonic())
        self.cut(1.0)

    def resolve(self, kind: str) -> None:
        """Clients that look for a way in ask a resolver of that kind (`scenarios.resolvers`)."""
        ladder = self.stage.surroundings.ladder
        if ladder is not None:
            resolvers.use(ladder, kind)

    def remove(self, cohort: Cohort) -> None:
        """The cohort has settled; its devices leave."""
        cohort.close()

    def settle(self) -> None:
        """All cohorts settle side by side; blocks the calling greenlet."""
        timeout_s = self.stage.options.settle_timeout
        gevent.joinall([gevent.spawn(cohort.settle, timeout_s) for cohort in self.cohorts.values()])

    def abandon(self) -> None:
        """Nothing will be settled: the run could not begin."""
        for cohort in self.cohorts.values():
            cohort.abandon()

    def close(self) -> None:
        """Devices say goodbye; ledger and samples are complete and closed. Raises LedgerError."""
        for cohort in self.cohorts.values():
            cohort.close()
        self._each_second(last=True)
        self._second.stop()
        self._pauses.close()
        self.stage.alarms.close()
        self.stage.pump.close()
        self._samples.close()
        self._ledger.close()
        if self._ports is not None:
            self._ports.close()
        if self.stage.recorder.broken is not None:
            raise LedgerError(self.stage.recorder.broken)

    # -- sending --

    def _send_due(self) -> None:
        """Open model: what is due is sent whether or not earlier sends were answered."""
        chatting = [cohort for cohort in self.cohorts.values() if cohort.chatting]
        if not chatting:
            self._send_armed = False
            return
        rate = self.stage.options.send_rate * len(chatting)
        now = time.monotonic()
        # A process that cannot keep up still has to read what it is sent: sending yields after a while.
        until = now + _SEND_TURN_S
        late_s = LATE_SEND_S + self.stage.options.pace
        while rate > 0 and self._next_send <= now < until:
            self.sends["started"] += 1
            self.sends["late"] += now - self._next_send > late_s
            self._dice.choice(chatting).send_one(self._next_send)
            self._next_send += self._dice.expovariate(rate)
            now = time.monotonic()
        # Who has caught up is not woken by a send between two looks at the sockets either.
        pause_s = _SEND_PAUSE_S if self._next_send <= now else max(_SEND_PAUSE_S, self.stage.options.pace)
        self.stage.alarms.at(max(self._next_send, now + pause_s), self._send_due)

    def _overdue(self) -> int:
        """How many sends the load model wanted by now that have not been started."""
        if not self._send_armed:
            return 0
        rate = self.stage.options.send_rate * sum(cohort.chatting for cohort in self.cohorts.values())
        return max(0, int((time.monotonic() - self._next_send) * rate))

    def _delivered(self, client: Client, entry: Entry, now: float) -> None:
        cohort = self.cohorts.get(client.index // self.stage.population.cohort_size)
        if cohort is not None:
            cohort.delivered(client, entry, now)

    # -- once a second --

    def snapshot(self) -> dict[str, object]:
        """Totals of this process for whoever watches the run; `health` is of its last whole second."""
        recorder = self.stage.recorder
        owed, overdue = recorder.owed.count(time.monotonic_ns())
        return {
            "connections": recorder.online,
            "target": sum(len(cohort.clients) for cohort in self.cohorts.values()),
            "messages": dict(recorder.messages),
            "beats": dict(recorder.beats),
            "deliveries": {"expected": recorder.owed.expected, "owed": owed, "overdue": overdue},
            "connects": {
                "opened": recorder.opened,
                "failed": recorder.failed,
                "dropped": recorder.dropped,
            },
            "sends": {**self.sends, "planned": self.sends["started"] + self._overdue()},
            "health": dict(self._health),
            "broken": recorder.broken,
        }

    def _note_health(self, cpu_s: float, loop_lag_ms: float, rss_bytes: int) -> None:
        now, (before, cpu_before_s) = time.monotonic(), self._last_cpu
        self._last_cpu = (now, cpu_s)
        share = (cpu_s - cpu_before_s) / max(now - before, 0.001) if cpu_before_s else 0.0
        self._health = {"loop_lag_ms": loop_lag_ms, "cpu_share": share, "rss_bytes": rss_bytes}

    def _each_second(self, *, last: bool = False) -> None:
        recorder = self.stage.recorder
        durations = self._histograms.flush()
        self._totals.flush(durations)
        self._wire.look(self.cohorts, time.monotonic())
        cpu = os.times()
        cpu_s, loop_lag_ms = cpu.user + cpu.system, self.stage.pump.take_worst_lag_s() * 1000
        rss_bytes, anon_bytes = own_memory()
        self._note_health(cpu_s, loop_lag_ms, rss_bytes)
        sample = {
            "at_ns": time.monotonic_ns(),
            "role": "generator",
            "pid": os.getpid(),
            "rss_bytes": rss_bytes,
            "anon_bytes": anon_bytes,
            "cpu_s": cpu_s,
            "fds": open_descriptors(os.getpid()),
            "loop_lag_ms": loop_lag_ms,
            "collector_pause_ms": self._pauses.take_worst_s() * 1000,
            "connections": recorder.online,
            "target": sum(len(cohort.clients) for cohort in self.cohorts.values()),
            "opened": recorder.opened,
            "failed": recorder.failed,
            "dropped": recorder.dropped,
            "beats": recorder.beats,
            "sends": {**self.sends, "planned": self.sends["started"] + self._overdue()},
            "wire": self._wire.counts.take(),
            "histograms": {name: as_text(counts) for name, counts in durations.items()},
        }
        if last:
            sample["histogram_totals"] = self._histograms.totals()
        try:
            self._samples.write(sample)
            self._ledger.flush()
        except LedgerError as error:
            recorder.broken = recorder.broken or str(error)


@cache
def warm_up() -> None:
    """Whatever the libraries behind ledger and histograms allocate once, they have allocated.

    It belongs to the process, not to its connections, so it has to be there before the first sample; done
    before processes are forked, they share it.
    """
    with tempfile.TemporaryDirectory() as folder:
        ledger = LedgerWriter(Path(folder), "warm-up")
        for _ in range(2 * FLUSH_ROWS):
            ledger.add(0, None, Event.LOGIN, 0, None, None, None, 0, ledger.via("tcp"), 1)
        ledger.close()
    histograms = Histograms()
    for name in ("heartbeat", "login", "reconnect"):
        histograms.record(name, 0.001)
    histograms.flush()

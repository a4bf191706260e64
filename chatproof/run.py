"""A run from its plan to its verdict: start, ramp, load, heal, settle, stop, judge."""

import shlex
import signal
import socket
import time
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

import gevent
import msgspec
from gevent.event import Event
from locust.env import Environment
from locust.runners import MasterRunner
from rich.console import Console

from chaos.desk import FaultDesk
from chaos.errors import ChaosError
from chaos.levers import Levers
from chaos.packets.network import Network
from chaos.schedule import FaultRecord
from chatproof.breaking import addresses_of
from chatproof.elsewhere import Elsewhere
from chatproof.errors import CannotRun, CommandError, WrongUse
from chatproof.evidence import Evidence, evidence
from chatproof.fitting import check_limits
from chatproof.limits import raise_open_files
from chatproof.mustering import collect, muster
from chatproof.network import networked
from chatproof.outcome import conclude
from chatproof.plan import Plan, as_toml
from chatproof.progress import Progress
from chatproof.proxies import Proxied, proxied
from chatproof.sampler import Sampler
from chatproof.status import Status
from chatproof.target import Running, probe, running_target
from chatproof.watching import Watchers
from chatproof.web import answer, page
from chatproof.workers import await_workers, fork_workers, new_environment
from drivers.accounts import AccountsError
from drivers.endpoints import TargetError
from ledger.errors import LedgerError
from ledger.run_folder import Fault, RunFolder
from metrics.metric import Family
from scenarios.capabilities import promises
from scenarios.conductor import Conductor
from scenarios.machine import describe
from scenarios.machines import Machines, Terms
from scenarios.measured import measured
from scenarios.parts import conductor_of, take_part
from scenarios.shapes import new_shape

_WORKERS_TIMEOUT_S = 60.0
_ONLINE_PATIENCE_S = 30.0
_SPAWN_PATIENCE_S = 8.0
_QUIT_TIMEOUT_S = 60.0
_LOOK_S = 0.5


class Run:
    """One run. `execute` does everything and returns the exit code; nothing is left running after it."""

    def __init__(
        self,
        plan: Plan,
        folder: RunFolder,
        command: str,
        console: Console,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        """`elsewhere`: the swarm is not on this machine. Before `execute`, `reports` may be taken back,
        `watchers` let others watch, `web_port` serve a page of the run, and `for_machines` make the progress
        readable to programs."""
        self._plan = plan
        self.reports = True
        self.watchers = Watchers()
        self.for_machines = False
        self.web_port: int | None = None
        self._elsewhere = elsewhere
        self._machines: Machines | None = None
        self._around: dict[str, Any] = {}
        self._folder = folder
        self._command = command
        self._console = console
        self._started = time.monotonic()
        self._phase = "starting"
        self._stop = Event()
        self._interrupts = 0
        self._failure: LedgerError | None = None
        self._schedule: FaultDesk | None = None
        self._environment: Environment | None = None
        self._network: Network | None = None
        self._evidence: Evidence | None = None

    def execute(self) -> int:
        """Exit code as in docs/architecture.md. Raises CommandError when there is nothing to judge."""
        with networked(self._plan, self._say) as self._network:
            return self._execute()

    def _execute(self) -> int:
        plan, folder = self._plan, self._folder
        raise_open_files()
        if self._elsewhere is None:
            check_limits(plan)
        try:
            folder.create()
            folder.plan.write_text(as_toml(plan))
        except (LedgerError, OSError) as error:
            raise CannotRun(f"{error}; choose another folder with --out") from error
        if self._elsewhere is None:
            host, port = "127.0.0.1", _free_port()
            # Before anything here touches gevent's hub: a forked loop would share its parent's descriptors.
            workers = fork_workers(plan.swarm_processes, plan.scenario, port)
        else:
            host, port, workers = self._elsewhere.host, self._elsewhere.port, []
        try:
            with ExitStack() as stack:
                signal_watchers = [
                    gevent.signal_handler(n, self._interrupt) for n in (signal.SIGINT, signal.SIGTERM)
                ]
                for watcher in signal_watchers:
                    stack.callback(watcher.cancel)
                self._console.print(f"run folder {folder.path}", highlight=False)
                try:
                    target = stack.enter_context(running_target(plan, folder.path, self._network))
                    way = stack.enter_context(proxied(plan, target.endpoints, host))
                    self._save_environment(target)
                    self._load(target, way, (host, port), stack)
                except (TargetError, AccountsError) as error:
                    raise WrongUse(str(error)) from error
                except (LedgerError, ChaosError) as error:
                    raise CannotRun(str(error)) from error
        finally:
            # Whoever gives up does not wait for devices that still settle.
            is_patient = self._environment is not None and self._interrupts <= 1
            await_workers(workers, _QUIT_TIMEOUT_S if is_patient else 0.0)
        self._note_added()
        code = conclude(folder, plan.thresholds, self._console, reports=self.reports)
        return 130 if self._interrupts else code

    def _load(self, target: Running, way: Proxied, bind: tuple[str, int], stack: ExitStack) -> None:
        plan = self._plan
        shape = (
            new_shape(plan.shape, plan.cohorts, plan.ramp_s, plan.duration_s)
            if plan.shape != "ramp"
            else None
        )
        environment = new_environment(plan.scenario, shape)
        first, *more = (endpoint.url for endpoint in way.endpoints)
        options = plan.options(
            accounts=str(target.accounts.resolve()),
            endpoints=" ".join(more),
            run_dir=str(self._folder.path.resolve()),
            on_command=shape is None,
            **({"source_addresses": " ".join(addresses_of(plan))} if addresses_of(plan) else {}),
        )
        vars(environment.parsed_options).update(asdict(options))
        environment.host = first
        runner = environment.create_master_runner(*bind)
        where = stack.enter_context(page(environment, self.web_port, self._stop.set))
        take_part(environment)
        if where is not None and environment.web_ui is not None:
            answer(environment.web_ui)
            self._say(f"page {where}")
        self._environment = environment
        if self._elsewhere is not None:
            terms = Terms(
                machines=self._elsewhere.machines,
                processes=plan.swarm_processes,
                connections=plan.connections,
                cohort=options.cohort,
                endpoints=len(way.endpoints),
                scenario=plan.scenario,
                accounts=target.accounts.resolve(),
            )
            self._machines = Machines(runner, terms, self._say)
            stack.callback(self._machines.close)
        conductor = conductor_of(environment)
        conductor.judges = False
        sampler = Sampler(
            self._folder.processes,
            lambda: {
                **dict.fromkeys(target.pids, "server"),
                **dict.fromkeys([*way.pids, *self._carriers()], "proxy"),
            },
            self._give_up,
        )
        stack.callback(sampler.stop)
        self._evidence = stack.enter_context(evidence(plan, self._network, self._folder.path))
        if plan.faults or where is not None:
            levers = Levers(
                way.control, conductor, target.server, self._network, addresses_of(plan), plan.seed
            )
            self._schedule = conductor.desk = FaultDesk(plan.faults, levers, self._fault_changed)
        watching = self.watchers.watching(self._measure, "chatproof-swarm", self._say)
        stack.enter_context(watching)
        with Progress(self._look, self._console, for_machines=self.for_machines) as progress:
            try:
                if self._machines is not None and self._elsewhere is not None:
                    self._phase = "joining"
                    muster(self._machines, self._elsewhere, self._stop, self._say)
                    self._note_machines(self._machines)
                self._await_workers(runner, plan.swarm_processes)
                probe(plan, way.endpoints, target.accounts, self._folder.accounts_index)
                if shape is None:
                    self._ramp(runner, conductor, progress)
                    self._begin(conductor, progress)
                    self._last(conductor, plan.duration_s)
                else:
                    self._follow(runner, conductor, plan.duration_s)
            except CommandError:
                conductor.abandon()
                raise
            finally:
                self._end(runner, conductor, progress)
        if conductor.broken is not None:
            raise _broken(conductor.broken)
        if self._failure is not None:
            raise self._failure

    def _note_machines(self, machines: Machines) -> None:
        self._around["machines"] = msgspec.to_builtins(machines.described())
        self._folder.save_environment(self._around)

    def _await_workers(self, runner: MasterRunner, count: int) -> None:
        until = time.monotonic() + _WORKERS_TIMEOUT_S
        while len(runner.clients.ready) < count and not self._stop.is_set():
            if time.monotonic() > until:
                raise CannotRun(f"only {len(runner.clients.ready)} of {count} swarm processes came up")
            gevent.sleep(0.05)

    def _ramp(self, runner: MasterRunner, conductor: Conductor, progress: Progress) -> None:
        """Everybody is online, or the run was stopped. Raises CannotRun when it does not get there."""
        self._phase = "ramp"
        cohorts = self._plan.cohorts
        rate = max(cohorts / max(self._plan.ramp_s, 0.001), 0.01)
        starting = gevent.spawn(runner.start, cohorts, rate)
        best, since = -1, time.monotonic()
        asked = since
        while not self._stop.is_set():
            if starting.ready() and runner.clients.ready and time.monotonic() - asked > _SPAWN_PATIENCE_S:
                # Locust sends each worker its number of users once, and does not look whether it came.
                progress.say(f"{len(runner.clients.ready)} swarm processes have not begun; asking them again")
                asked = time.monotonic()
                starting = gevent.spawn(runner.start, cohorts, rate)
            totals = conductor.totals()
            online, now = totals["connections"], time.monotonic()
            if online >= self._plan.connections:
                return
            if conductor.broken is not None:
                raise _broken(conductor.broken)
            if self._lost():
                raise CannotRun(f"machine {self._lost()} does not answer any more")
            if online > best:
                best, since = online, now
            elif now - since > _ONLINE_PATIENCE_S:
                raise WrongUse(
                    f"only {online:,} of {self._plan.connections:,} connections came up, none for "
                    f"{_ONLINE_PATIENCE_S:.0f} s: {_reasons(runner)}"
                )
            gevent.sleep(0.1)

    def _begin(self, conductor: Conductor, progress: Progress) -> None:
        if self._stop.is_set():
            return
        self._phase = "load"
        progress.say(
            f"{self._plan.connections:,} connections online after {self._elapsed_s():.1f} s; load begins"
        )
        conductor.begin()
        if self._schedule is not None:
            self._schedule.start(time.monotonic())

    def _follow(self, runner: MasterRunner, conductor: Conductor, duration_s: float) -> None:
        """A load shape decides who is there and when; it begins chatting as it comes."""
        self._phase = "load"
        runner.start_shape()
        if self._schedule is not None:
            self._schedule.start(time.monotonic())
        self._last(conductor, duration_s)

    def _last(self, conductor: Conductor, duration_s: float) -> None:
        """The load goes on for its time, unless the run is stopped or cannot go on."""
        until = time.monotonic() + duration_s
        while conductor.broken is None and (left := until - time.monotonic()) > 0:
            if self._stop.wait(min(left, _LOOK_S)):
                return
            if self._lost():
                self._say(
                    f"machine {self._lost()} does not answer any more: the load ends, its ledger is lost"
                )
                return

    def _lost(self) -> str:
        return "" if self._machines is None else ", ".join(self._machines.lost)

    def _end(self, runner: MasterRunner, conductor: Conductor, progress: Progress) -> None:
        """Heal, settle, stop; also after an error or Ctrl-C, because what was promised is still owed."""
        self._phase = "settling"
        if self._machines is not None:
            self._machines.wait_for_all()
        if self._interrupts:
            conductor.interrupted()
            progress.say("interrupted: healing, settling and judging what there is (again Ctrl-C to give up)")
        try:
            if self._schedule is not None:
                self._schedule.heal_all()
            if self._network is not None:
                self._keep_evidence(self._network)
        except LedgerError as error:
            self._give_up(error)
        finally:
            runner.stop()
            try:
                if self._machines is not None:
                    collect(self._machines, self._folder)
                    self._note_machines(self._machines)
            except LedgerError as error:
                self._give_up(error)
            finally:
                runner.quit()
            self._phase = "judging"

    def _interrupt(self) -> None:
        self._interrupts += 1
        self._stop.set()
        if self._interrupts > 1:
            raise KeyboardInterrupt

    def _fault_changed(self, record: FaultRecord) -> None:
        if record.end_ns is None:
            return
        try:
            self._folder.add_fault(
                Fault(record.name, record.target, record.start_ns, record.end_ns, record.detail)
            )
        except LedgerError as error:
            self._give_up(error)

    def _note_added(self) -> None:
        """What people have added is in the plan and the command that repeat the run. Raises CannotRun."""
        added = [] if self._schedule is None else self._schedule.added()
        if not added:
            return
        self._plan.fault += [spec.as_mapping() for spec in added]
        words = [word for spec in added for word in ("--fault", spec.as_text())]
        self._around["command"] = shlex.join([*shlex.split(self._command), *words])
        try:
            self._folder.plan.write_text(as_toml(self._plan))
            self._folder.save_environment(self._around)
        except (LedgerError, OSError) as error:
            raise CannotRun(str(error)) from error

    def _give_up(self, error: LedgerError) -> None:
        """What belongs into the run folder cannot be written there."""
        self._failure = self._failure or error
        self._stop.set()

    def _look(self) -> Status:
        environment = self._environment
        assert environment is not None
        p99 = environment.stats.get("deliver", "RECV").get_current_response_time_percentile(0.99)
        return Status(
            phase=self._phase,
            elapsed_s=self._elapsed_s(),
            totals=conductor_of(environment).totals(),
            p99_ms=p99,
            faults=[] if self._schedule is None else self._schedule.active(),
        )

    def _measure(self) -> list[Family]:
        environment = self._environment
        assert environment is not None
        faults = [] if self._schedule is None else self._schedule.active()
        return measured(environment, conductor_of(environment).totals(), faults)

    def _say(self, text: str) -> None:
        self._console.print(text, highlight=False, soft_wrap=True)

    def _keep_evidence(self, network: Network) -> None:
        """What the network has to tell is in the run folder. Raises PacketsError."""
        self._around["network"] = told = network.describe()
        self._folder.save_environment(self._around)
        if overrun := sum(counts["overrun"] for counts in told.get("packets", {}).values()):
            self._say(f"the wire could not keep up: {overrun:,} packets were lost that nobody wanted lost")
        if self._evidence is not None:
            try:
                self._evidence.conclude()
            except OSError as error:
                raise LedgerError(f"cannot write what the packets tell: {error.strerror}") from error

    def _carriers(self) -> list[int]:
        """The processes that carry packets, which cost what a proxy costs."""
        wire = None if self._network is None else self._network.wire
        return [] if wire is None else [wire.pid]

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._started

    def _save_environment(self, target: Running) -> None:
        self._around = {
            "target": self._plan.target.start or self._plan.target.url,
            "endpoints": [endpoint.url for endpoint in target.endpoints],
            **promises(target.endpoints[0].url),
            "server": self._plan.target.start or None,
            "scenario": self._plan.scenario,
            "plan": self._plan.name,
            "seed": self._plan.seed,
            "heartbeat_s": self._plan.options().heartbeat,
            "command": self._command,
            "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "machine": describe(),
            "network": None if self._network is None else self._network.describe(),
        }
        self._folder.save_environment(self._around)


def _broken(why: str) -> CommandError:
    """A swarm process could not go on: a full disk is the machine's fault, the rest the user's."""
    return CannotRun(why) if "cannot write" in why or "cannot create" in why else WrongUse(why)


def _reasons(runner: MasterRunner) -> str:
    found: list[Any] = sorted(runner.stats.errors.values(), key=lambda error: -error.occurrences)
    return (
        "; ".join(f"{error.error} ({error.occurrences}×)" for error in found[:3]) or "no error was reported"
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

"""A run from its plan to its verdict: start, ramp, load, heal, settle, stop, judge."""

import signal
import time
from contextlib import ExitStack
from dataclasses import asdict

import gevent
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
from chatproof.course import Course, broken
from chatproof.elsewhere import Elsewhere
from chatproof.errors import CannotRun, CommandError, WrongUse
from chatproof.evidence import Evidence, evidence
from chatproof.fitting import check_limits
from chatproof.limits import raise_open_files
from chatproof.mustering import collect, muster
from chatproof.network import networked
from chatproof.notes import Notes
from chatproof.outcome import conclude
from chatproof.plan import Plan
from chatproof.progress import Progress
from chatproof.proxies import Proxied, proxied
from chatproof.sampler import Sampler
from chatproof.status import Status
from chatproof.target import Running, probe, running_target
from chatproof.watching import Watchers
from chatproof.web import answer, page
from chatproof.workers import await_workers, fork_workers, kill_workers, new_environment
from drivers.accounts import AccountsError
from drivers.endpoints import TargetError
from ledger.errors import LedgerError
from ledger.run_folder import RunFolder
from metrics.metric import Family
from reactor import sockets
from scenarios.conductor import Conductor
from scenarios.machines import Machines, Terms
from scenarios.measured import measured
from scenarios.parts import conductor_of, take_part
from scenarios.shapes import new_shape

_QUIT_TIMEOUT_S = 60.0
_HERE = "127.0.0.1"


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
        self._folder = folder
        self._notes = Notes(plan, folder, command)
        self._console = console
        self._started = time.monotonic()
        self._phase = "starting"
        self._stop = Event()
        self._interrupts = 0
        self._failure: LedgerError | None = None
        self._desk: FaultDesk | None = None
        self._workers: list[int] = []
        self._environment: Environment | None = None
        self._network: Network | None = None
        self._evidence: Evidence | None = None

    def execute(self) -> int:
        """Exit code as in docs/architecture.md. Raises CommandError when there is nothing to judge."""
        with networked(self._plan, self._say) as self._network, ExitStack() as stack:
            raise_open_files()
            if self._elsewhere is None:
                check_limits(self._plan)
            self._notes.open()
            if self._elsewhere is None:
                # Kept until Locust listens there, which may take a while.
                port: int = stack.enter_context(sockets.reserve(_HERE)).getsockname()[1]
                # Before anything touches gevent's hub: a forked loop would share its parent's descriptors.
                self._workers = fork_workers(self._plan.swarm_processes, self._plan.scenario, port)
                return self._execute((_HERE, port))
            return self._execute((self._elsewhere.host, self._elsewhere.port))

    def _execute(self, bind: tuple[str, int]) -> int:
        try:
            with ExitStack() as stack:
                for number in (signal.SIGINT, signal.SIGTERM):
                    stack.callback(gevent.signal_handler(number, self._interrupt).cancel)
                self._say(f"run folder {self._folder.path}")
                try:
                    target = stack.enter_context(running_target(self._plan, self._folder.path, self._network))
                    way = stack.enter_context(proxied(self._plan, target.endpoints, bind[0]))
                    self._notes.surroundings(target, self._network)
                    self._load(target, way, bind, stack)
                except (TargetError, AccountsError) as error:
                    raise WrongUse(str(error)) from error
                except (LedgerError, ChaosError) as error:
                    raise CannotRun(str(error)) from error
        finally:
            # Whoever gives up does not wait for devices that still settle.
            is_patient = self._environment is not None and not self._has_given_up
            await_workers(self._workers, _QUIT_TIMEOUT_S if is_patient else 0.0)
        self._notes.added([] if self._desk is None else self._desk.added())
        code = conclude(self._folder, self._plan.thresholds, self._console, reports=self.reports)
        return 130 if self._interrupts else code

    def _load(self, target: Running, way: Proxied, bind: tuple[str, int], stack: ExitStack) -> None:
        plan = self._plan
        environment = self._new_environment(target, way)
        runner = environment.create_master_runner(*bind)
        where = stack.enter_context(page(environment, self.web_port, self._stop.set))
        take_part(environment)
        if where is not None and environment.web_ui is not None:
            answer(environment.web_ui)
            self._say(f"page {where}")
        self._environment = environment
        conductor = conductor_of(environment)
        conductor.judges = False
        if self._elsewhere is not None:
            self._machines = self._new_machines(runner, target, way, self._elsewhere)
            stack.callback(self._machines.close)
        stack.callback(self._new_sampler(target, way).stop)
        self._evidence = stack.enter_context(evidence(plan, self._network, self._folder.path))
        if plan.faults or where is not None:
            levers = Levers(
                way.control, conductor, target.server, self._network, addresses_of(plan), plan.seed
            )
            self._desk = conductor.desk = FaultDesk(plan.faults, levers, self._fault_changed)
        stack.enter_context(self.watchers.watching(self._measure, "chatproof-swarm", self._say))
        course = Course(plan, runner, conductor, self._stop, self._say)
        course.desk, course.machines = self._desk, self._machines
        with Progress(self._look, self._console, for_machines=self.for_machines):
            try:
                self._take_its_course(course, target, way)
            except CommandError:
                conductor.abandon()
                raise
            finally:
                self._end(runner, conductor)
        if conductor.broken is not None:
            raise broken(conductor.broken)
        if self._failure is not None:
            raise self._failure

    def _new_environment(self, target: Running, way: Proxied) -> Environment:
        plan = self._plan
        is_ramp = plan.shape == "ramp"
        shape = None if is_ramp else new_shape(plan.shape, plan.cohorts, plan.ramp_s, plan.duration_s)
        environment = new_environment(plan.scenario, shape)
        environment.host, *more = (endpoint.url for endpoint in way.endpoints)
        sources = addresses_of(plan)
        options = plan.options(
            accounts=str(target.accounts.resolve()),
            endpoints=" ".join(more),
            run_dir=str(self._folder.path.resolve()),
            on_command=is_ramp,
            **({"source_addresses": " ".join(sources)} if sources else {}),
        )
        vars(environment.parsed_options).update(asdict(options))
        return environment

    def _new_machines(
        self, runner: MasterRunner, target: Running, way: Proxied, elsewhere: Elsewhere
    ) -> Machines:
        terms = Terms(
            machines=elsewhere.machines,
            processes=self._plan.swarm_processes,
            connections=self._plan.connections,
            cohort=self._plan.options().cohort,
            endpoints=len(way.endpoints),
            scenario=self._plan.scenario,
            accounts=target.accounts.resolve(),
        )
        return Machines(runner, terms, self._say)

    def _new_sampler(self, target: Running, way: Proxied) -> Sampler:
        wire = None if self._network is None else self._network.wire
        # Who carries packets costs what a proxy costs.
        carriers = [*way.pids, *([] if wire is None else [wire.pid])]
        return Sampler(
            self._folder.processes,
            lambda: {**dict.fromkeys(target.pids, "server"), **dict.fromkeys(carriers, "proxy")},
            self._give_up,
        )

    def _take_its_course(self, course: Course, target: Running, way: Proxied) -> None:
        """Returns when the load is over. Raises CommandError."""
        if self._machines is not None and self._elsewhere is not None:
            self._phase = "joining"
            muster(self._machines, self._elsewhere, self._stop, self._say)
            self._notes.machines(self._machines)
        course.await_workers()
        probe(self._plan, way.endpoints, target.accounts, self._folder.accounts_index)
        if self._plan.shape == "ramp":
            self._phase = "ramp"
            course.ramp()
            if not self._stop.is_set():
                self._phase = "load"
            course.begin(self._elapsed_s())
        else:
            self._phase = "load"
            course.follow()
        course.last()

    def _end(self, runner: MasterRunner, conductor: Conductor) -> None:
        """Heal, settle, stop; also after an error or Ctrl-C, because what was promised is still owed."""
        self._phase = "settling"
        if self._machines is not None:
            self._machines.wait_for_all()
        if self._interrupts:
            conductor.interrupted()
            self._say("interrupted: healing, settling and judging what there is (again Ctrl-C to give up)")
        try:
            if self._desk is not None:
                self._desk.heal_all()
            if self._network is not None:
                self._keep_evidence(self._network)
        except LedgerError as error:
            self._give_up(error)
        finally:
            try:
                if not self._has_given_up:
                    runner.stop()
                    self._collect()
            finally:
                runner.quit()
            self._phase = "judging"

    def _collect(self) -> None:
        """What other machines have of the run is in its folder."""
        if self._machines is None:
            return
        try:
            collect(self._machines, self._folder)
            self._notes.machines(self._machines)
        except LedgerError as error:
            self._give_up(error)

    def _keep_evidence(self, network: Network) -> None:
        """What the network has to tell is in the run folder. Raises PacketsError, LedgerError."""
        told = self._notes.network(network)
        if overrun := sum(counts["overrun"] for counts in told.get("packets", {}).values()):
            self._say(f"the wire could not keep up: {overrun:,} packets were lost that nobody wanted lost")
        if self._evidence is not None:
            try:
                self._evidence.conclude()
            except OSError as error:
                raise LedgerError(f"cannot write what the packets tell: {error.strerror}") from error

    @property
    def _has_given_up(self) -> bool:
        return self._interrupts > 1

    def _interrupt(self) -> None:
        self._interrupts += 1
        self._stop.set()
        if self._has_given_up:
            if self._environment is not None:
                conductor_of(self._environment).give_up()
            # A server waits a while for connections to end, and these may belong to who stands still.
            kill_workers(self._workers)
            # Raised here, it would be shown as a fault of this greenlet.
            gevent.get_hub().handle_system_error(KeyboardInterrupt, KeyboardInterrupt())

    def _fault_changed(self, record: FaultRecord) -> None:
        try:
            self._notes.fault(record)
        except LedgerError as error:
            self._give_up(error)

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
            faults=[] if self._desk is None else self._desk.active(),
        )

    def _measure(self) -> list[Family]:
        environment = self._environment
        assert environment is not None
        faults = [] if self._desk is None else self._desk.active()
        return measured(environment, conductor_of(environment).totals(), faults)

    def _say(self, text: str) -> None:
        self._console.print(text, highlight=False, soft_wrap=True)

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._started

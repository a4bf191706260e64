"""The course of a run: its swarm processes come, everybody comes online, the load lasts for its time."""

import time
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import Event
from locust.runners import MasterRunner

from chaos.desk import FaultDesk
from chatproof.errors import CannotRun, CommandError, WrongUse
from chatproof.plan import Plan
from scenarios.conductor import Conductor
from scenarios.machines import Machines

_WORKERS_TIMEOUT_S = 60.0
_ONLINE_PATIENCE_S = 30.0
_SPAWN_PATIENCE_S = 8.0
_LOOK_S = 0.5


class Course:
    """Every step returns at once when `stop` is set, or returns because of it."""

    def __init__(
        self,
        plan: Plan,
        runner: MasterRunner,
        conductor: Conductor,
        stop: Event,
        say: Callable[[str], None],
    ) -> None:
        """Before the first step `desk` is given the faults of the run, and `machines` whose swarm it is."""
        self.desk: FaultDesk | None = None
        self.machines: Machines | None = None
        self._plan = plan
        self._runner = runner
        self._conductor = conductor
        self._stop = stop
        self._say = say

    def await_workers(self) -> None:
        """All swarm processes have come. Raises CannotRun."""
        count, until = self._plan.swarm_processes, time.monotonic() + _WORKERS_TIMEOUT_S
        while (ready := len(self._runner.clients.ready)) < count and not self._stop.is_set():
            if time.monotonic() > until:
                raise CannotRun(f"only {ready} of {count} swarm processes came up")
            gevent.sleep(0.05)

    def ramp(self) -> None:
        """Everybody is online, or the run was stopped. Raises CannotRun when it does not get there."""
        cohorts = self._plan.cohorts
        rate = max(cohorts / max(self._plan.ramp_s, 0.001), 0.01)
        ready = self._runner.clients
        starting = gevent.spawn(self._runner.start, cohorts, rate)
        best, since = -1, time.monotonic()
        asked = since
        while not self._stop.is_set():
            if starting.ready() and ready.ready and time.monotonic() - asked > _SPAWN_PATIENCE_S:
                # Locust sends each worker its number of users once, and does not look whether it came.
                self._say(f"{len(ready.ready)} swarm processes have not begun; asking them again")
                asked = time.monotonic()
                starting = gevent.spawn(self._runner.start, cohorts, rate)
            online, now = self._conductor.totals()["connections"], time.monotonic()
            if online >= self._plan.connections:
                return
            if self._conductor.broken is not None:
                raise broken(self._conductor.broken)
            if self._lost:
                raise CannotRun(f"machine {self._lost} does not answer any more")
            if online > best:
                best, since = online, now
            elif now - since > _ONLINE_PATIENCE_S:
                raise WrongUse(
                    f"only {online:,} of {self._plan.connections:,} connections came up, none for "
                    f"{_ONLINE_PATIENCE_S:.0f} s: {_reasons(self._runner)}"
                )
            gevent.sleep(0.1)

    def begin(self, elapsed_s: float) -> None:
        """Who is online chats from now on, and faults begin at their times."""
        if self._stop.is_set():
            return
        self._say(f"{self._plan.connections:,} connections online after {elapsed_s:.1f} s; load begins")
        self._conductor.begin()
        self._start_faults()

    def follow(self) -> None:
        """A load shape decides from now on who is there and when; it begins chatting as it comes."""
        self._runner.start_shape()
        self._start_faults()

    def last(self) -> None:
        """The load goes on for its time, unless the run is stopped or cannot go on."""
        until = time.monotonic() + self._plan.duration_s
        while self._conductor.broken is None and (left := until - time.monotonic()) > 0:
            if self._stop.wait(min(left, _LOOK_S)):
                return
            if self._lost:
                self._say(f"machine {self._lost} does not answer any more: the load ends, its ledger is lost")
                return

    def _start_faults(self) -> None:
        if self.desk is not None:
            self.desk.start(time.monotonic())

    @property
    def _lost(self) -> str:
        return "" if self.machines is None else ", ".join(self.machines.lost)


def broken(why: str) -> CommandError:
    """A swarm process could not go on: a full disk is the machine's fault, the rest the user's."""
    return CannotRun(why) if "cannot write" in why or "cannot create" in why else WrongUse(why)


def _reasons(runner: MasterRunner) -> str:
    found: list[Any] = sorted(runner.stats.errors.values(), key=lambda error: -error.occurrences)
    return (
        "; ".join(f"{error.error} ({error.occurrences}×)" for error in found[:3]) or "no error was reported"
    )

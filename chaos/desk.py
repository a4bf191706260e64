"""A schedule that people add to while it runs, and from which they take a fault back before its time."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import gevent

from chaos.errors import ChaosError
from chaos.fault import fault_kinds
from chaos.levers import NETWORK, PROXIES, SERVER, SWARM, Levers
from chaos.plan import FaultSpec
from chaos.schedule import FaultRecord, FaultSchedule, _Run

_LEAST_S = 0.01
"""Faults that were added are planned again to this."""


class Stand(StrEnum):
    """How far a fault is."""

    WAITING = "waiting"
    ON = "on"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Standing:
    """One fault as it stands. `due_s`: when it begins (monotonic seconds), None when that is unknown;
    `start_ns`, `end_ns`: None for what has not been reached; `error`: what went wrong with it, or ""."""

    number: int
    spec: FaultSpec
    stand: Stand
    summary: str
    due_s: float | None
    start_ns: int | None
    end_ns: int | None
    error: str


class FaultDesk(FaultSchedule):
    """The faults of a plan, and those that somebody adds. Numbers count from 0 in the order in which faults
    became known; a number is never used again.

    A fault that was added and could not begin is none of `failures`: `standing` says so to whoever added it.
    """

    _due: dict[int, float]

    def __init__(
        self,
        specs: Sequence[FaultSpec],
        levers: Levers,
        on_change: Callable[[FaultRecord], None] = lambda record: None,
    ) -> None:
        super().__init__(specs, levers, on_change)
        self._planned = len(specs)
        self._t0 = 0.0
        self._is_open = False

    def start(self, t0_monotonic: float) -> None:
        super().start(t0_monotonic)
        self._due = {number: t0_monotonic + run.spec.at_s for number, run in enumerate(self._runs)}
        self._t0, self._is_open = t0_monotonic, True

    @property
    def is_open(self) -> bool:
        """Whether faults can be added now: the schedule has started and was not healed for good."""
        return self._is_open

    def add(self, spec: FaultSpec, since: float | None = None) -> int:
        """The fault's number; its times count from `since` (time.monotonic() seconds), from now if None.

        Raises ChaosError when faults cannot be added, or what it needs is out of reach.
        """
        if not self._is_open:
            raise ChaosError("no load is under way: faults can be switched on once it has begun")
        self._levers.lever(spec.pulls, spec.name)
        run, t0 = _Run(spec, len(self._runs)), time.monotonic() if since is None else since
        self._runs.append(run)
        number = len(self._runs) - 1
        self._due[number] = t0 + spec.at_s
        self._greenlets.append(gevent.spawn(self._live, run, t0))
        return number

    def end(self, number: int) -> None:
        """That fault is off, or never begins. Raises ChaosError for a number that nobody has, and when it
        cannot be healed: it may be tried again."""
        if not 0 <= number < len(self._greenlets):
            raise ChaosError(f"there is no fault number {number}")
        run, greenlet = self._runs[number], self._greenlets[number]
        with run.lock:
            greenlet.kill()
        failed = len(self.failures)
        self._finish(run)
        if run.is_on:
            raise ChaosError("; ".join(str(failure) for failure in self.failures[failed:]))

    def heal_all(self) -> None:
        self._is_open = False
        super().heal_all()

    def levers(self) -> list[str]:
        """Names of the levers that are within reach."""
        names = (PROXIES, SWARM, SERVER, NETWORK)
        return [name for name in names if getattr(self._levers, name) is not None]

    def standing(self) -> list[Standing]:
        """Every fault there ever was, in order of their numbers."""
        return [self._standing(number, run) for number, run in enumerate(self._runs)]

    def added(self, since_ns: int | None = None) -> list[FaultSpec]:
        """What was added and has begun, as a plan that does it again: its times are those at which it
        happened, counted from `since_ns` (monotonic), from the start if None. What was over by then is left
        out; what was on then is on from 0."""
        if since_ns is None:
            since_ns = int(self._t0 * 1e9)
        specs = [self._happened(run, since_ns) for run in self._runs[self._planned :]]
        return [spec for spec in specs if spec is not None]

    def _happened(self, run: _Run, since_ns: int) -> FaultSpec | None:
        if run.index is None or not run.has_begun:
            return None
        record, spec = self.records[run.index], run.spec
        begin_s = max(record.start_ns - since_ns, 0) / 1e9
        at_s = round(begin_s, 2)
        if fault_kinds()[spec.name].instantaneous:
            return replace(spec, at_s=at_s) if record.start_ns >= since_ns else None
        if record.end_ns is None:
            return replace(spec, at_s=at_s, for_s=None)
        lasted_s = (record.end_ns - since_ns) / 1e9 - begin_s
        return replace(spec, at_s=at_s, for_s=max(round(lasted_s, 2), _LEAST_S)) if lasted_s > 0 else None

    def _not_begun(self, run: _Run, error: ChaosError) -> None:
        if run in self._runs[: self._planned]:
            super()._not_begun(run, error)
        else:
            self._change(run, told={"error": str(error)})

    def _standing(self, number: int, run: _Run) -> Standing:
        due = self._due.get(number) if self._greenlets else None
        if run.index is None:
            ended = number < len(self._greenlets) and self._greenlets[number].dead
            stand = Stand.OVER if ended else Stand.WAITING
            return Standing(number, run.spec, stand, run.spec.summary(), due, None, None, "")
        record = self.records[run.index]
        stand = Stand.ON if run.is_on else Stand.OVER
        summary, error = str(record.detail["summary"]), str(record.detail.get("error", ""))
        return Standing(number, run.spec, stand, summary, due, record.start_ns, record.end_ns, error)

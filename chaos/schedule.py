"""Faults on a clock: each begins at its time and ends after its time, or when everything is healed."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gevent
from gevent.lock import RLock

from chaos.errors import ChaosError, FaultsFailed
from chaos.levers import Levers
from chaos.plan import FaultSpec


@dataclass(frozen=True, slots=True)
class FaultRecord:
    """Monotonic nanoseconds, from when the fault was on everywhere until it was off everywhere.

    `end_ns` is None while it is on. `detail` has "summary" and "color", "phase" of a fault plan, what the
    fault itself tells, such as the "layer" that did it, and "error" if it could not be applied or healed.
    """

    name: str
    target: str
    detail: dict[str, Any]
    start_ns: int
    end_ns: int | None = None


class _Run:
    """One fault of a schedule. `lock` is held while it is applied or healed. `has_begun`: it has been on
    everywhere."""

    __slots__ = ("fault", "has_begun", "index", "is_on", "key", "lock", "name", "spec")

    def __init__(self, spec: FaultSpec, number: int) -> None:
        self.spec = spec
        self.fault = spec.fault()
        self.name = spec.where.name
        self.key = f"{number}/{spec.as_text()}"
        self.index: int | None = None
        self.is_on = False
        self.has_begun = False
        self.lock = RLock()


class FaultSchedule:
    """`records` grow in the order in which faults begin; `on_change` gets each record as it begins and ends.

    `failures` are what could not be applied or healed; nothing else stops because of them. Uses blocking
    HTTP for proxies: where the Toxiproxy lives in the same process, sockets have to be monkey-patched.
    """

    def __init__(
        self,
        specs: Sequence[FaultSpec],
        levers: Levers,
        on_change: Callable[[FaultRecord], None] = lambda record: None,
    ) -> None:
        self._runs = [_Run(spec, number) for number, spec in enumerate(specs)]
        self._levers = levers
        self._on_change = on_change
        self._greenlets: list[gevent.Greenlet[..., None]] = []
        self._reported = 0
        self.records: list[FaultRecord] = []
        self.failures: list[ChaosError] = []

    def start(self, t0_monotonic: float) -> None:
        """The times of the faults count from `t0_monotonic` (time.monotonic() seconds). Returns at once."""
        self._greenlets = [gevent.spawn(self._live, run, t0_monotonic) for run in self._runs]

    def active(self) -> list[str]:
        """What is on now, in words."""
        return [run.spec.summary() for run in self._runs if run.is_on]

    def heal_all(self) -> None:
        """Nothing is on and nothing will come. May be called again, also when it failed.

        Raises FaultsFailed, after trying everything, with what failed since the last call.
        """
        for run, greenlet in zip(self._runs, self._greenlets, strict=False):
            # Never in the middle of a call: the server might act on it after the healing.
            with run.lock:
                greenlet.kill()
        for run in self._runs:
            self._finish(run)
        news, self._reported = self.failures[self._reported :], len(self.failures)
        if news:
            raise FaultsFailed("; ".join(str(failure) for failure in news))

    def _live(self, run: _Run, t0: float) -> None:
        spec = run.spec
        gevent.sleep(max(t0 + spec.at_s - time.monotonic(), 0))
        with run.lock:
            lasts = self._begin(run) and not run.fault.instantaneous
            if not lasts:
                self._finish(run)
        if not lasts:
            return
        if spec.for_s is not None:
            gevent.sleep(max(t0 + spec.at_s + spec.for_s - time.monotonic(), 0))
            self._finish(run)

    def _begin(self, run: _Run) -> bool:
        """Whether it is on everywhere."""
        spec, run.is_on = run.spec, True
        detail: dict[str, Any] = {"summary": spec.summary(), "color": spec.color}
        run.index = len(self.records)
        self.records.append(FaultRecord(spec.name, spec.target, detail, time.monotonic_ns()))
        if spec.phase:
            detail["phase"] = spec.phase
        try:
            where = spec.where
            run.fault.connections = where.connections
            if where.clients < 1:
                run.fault.clients = self._levers.share_of_clients(where.clients, run.key)
                detail["clients"] = list(run.fault.clients)
            detail.update(run.fault.apply(self._lever(run), run.name))
            if "layer" in detail:
                detail["summary"] += f", by {detail['layer']}"
        except ChaosError as error:
            self._not_begun(run, error)
            return False
        run.has_begun = True
        self._change(run)
        return True

    def _finish(self, run: _Run) -> None:
        with run.lock:
            if not run.is_on:
                return
            try:
                told = run.fault.heal(self._lever(run), run.name)
            except ChaosError as error:
                self._failed(run, error)
                return
            run.is_on = False
            self._change(run, end_ns=time.monotonic_ns(), told=told)

    def _lever(self, run: _Run) -> Any:
        return self._levers.lever(run.fault.pulls, run.spec.name)

    def _not_begun(self, run: _Run, error: ChaosError) -> None:
        self._failed(run, error)

    def _failed(self, run: _Run, error: ChaosError) -> None:
        self.failures.append(error)
        self._change(run, told={"error": str(error)})

    def _change(self, run: _Run, end_ns: int | None = None, told: dict[str, Any] | None = None) -> None:
        if run.index is None:
            return
        old = self.records[run.index]
        record = replace(old, detail={**old.detail, **(told or {})}, end_ns=end_ns)
        self.records[run.index] = record
        self._on_change(record)

"""The phases of a fault plan as they pass, for cases that have to meet them."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle

import gevent

from chaos.fault_plan import FaultPlan, Phase


@dataclass(frozen=True, slots=True)
class Spell:
    """One phase, from `begin` to `end`, monotonic seconds."""

    phase: Phase
    begin: float
    end: float

    def has(self, fault: str) -> bool:
        """Whether a fault of that name is on in it, or happens."""
        return any(spec.name == fault for spec in self.phase.specs)

    @property
    def broken_from(self) -> float:
        """When the last of its faults has begun."""
        return self.begin + max((spec.at_s for spec in self.phase.specs), default=0.0)

    def await_begin(self) -> None:
        """Returns when it has begun."""
        _sleep_until(self.begin)

    def await_end(self, but_s: float = 0.0) -> None:
        """Returns when it is over, or `but_s` before."""
        _sleep_until(self.end - but_s)

    def __contains__(self, at: float) -> bool:
        return self.begin <= at < self.end


def spells(plan: FaultPlan, began: float, since: float) -> Iterator[Spell]:
    """Those that begin at `since` or later, in order, of a plan whose first phase began at `began`; endless
    if the plan repeats."""
    begin = began
    for phase in cycle(plan.phase) if plan.repeat else plan.phase:
        end = begin + phase.duration_s
        if begin >= since:
            yield Spell(phase, begin, end)
        begin = end


def _sleep_until(at: float) -> None:
    gevent.sleep(max(0.0, at - time.monotonic()))

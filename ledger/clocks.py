"""The clocks of other machines: how far each was from the master's, and its times brought to the master's.

CLOCK_MONOTONIC begins anew on each machine. The master asks a machine for its time again and again; the
answer was given between question and answer, so each round trip says for certain between which two values
the offset (the machine's clock less the master's) lay. A ledger keeps the times of the machine that wrote
it: they are brought to the master's clock whenever the ledger is read, so no row is ever rewritten, and the
estimate stands beside them in environment.json.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import polars as pl

from ledger.errors import LedgerError


@dataclass(frozen=True, slots=True)
class Reading:
    """One round trip: when the machine answered (its clock), and between what the offset was then."""

    at_ns: int
    low_ns: int
    high_ns: int

    @classmethod
    def of(cls, asked_ns: int, at_ns: int, answered_ns: int) -> "Reading":
        """Asked and answered by the master's clock, `at_ns` by the machine's."""
        return cls(at_ns, at_ns - answered_ns, at_ns - asked_ns)

    @property
    def round_trip_ns(self) -> int:
        return self.high_ns - self.low_ns

    def allows(self, offset_ns: float) -> bool:
        return self.low_ns <= offset_ns <= self.high_ns


class Knot(msgspec.Struct, frozen=True):
    """At `at_ns` of the machine's clock the offset was `offset_ns`, at most `uncertainty_ns` more or less."""

    at_ns: int
    offset_ns: int
    uncertainty_ns: int


class Clock(msgspec.Struct, frozen=True):
    """A machine's clock over a run. Without knots it is the master's own. Between two knots the offset goes
    from one to the other in a straight line; before the first and after the last it stands still."""

    knots: tuple[Knot, ...] = ()
    readings: int = 0

    @property
    def offset_ns(self) -> int:
        """At the beginning; exactly 0 for the master's own clock."""
        return self.knots[0].offset_ns if self.knots else 0

    @property
    def uncertainty_ns(self) -> int:
        """The worst of the run; 0 for the master's own clock."""
        return max((knot.uncertainty_ns for knot in self.knots), default=0)

    @property
    def drift_ppm(self) -> float:
        """By how much it went faster than the master's, in millionths; as certain as its ends allow."""
        if len(self.knots) < 2:
            return 0.0
        first, last = self.knots[0], self.knots[-1]
        return (last.offset_ns - first.offset_ns) / (last.at_ns - first.at_ns) * 1e6

    def to_master(self, at_ns: int) -> int:
        """That moment on the master's clock."""
        if not self.knots:
            return at_ns
        for one, other in zip(self.knots, self.knots[1:], strict=False):
            if at_ns < other.at_ns:
                return at_ns - _between(one, other, max(at_ns, one.at_ns))
        return at_ns - self.knots[-1].offset_ns

    def of_master(self, column: str) -> pl.Expr:
        """The column, of this machine's times, on the master's clock."""
        at = pl.col(column)
        offset = pl.lit(self.knots[-1].offset_ns if self.knots else 0)
        for one, other in reversed([*zip(self.knots, self.knots[1:], strict=False)]):
            since = (at.clip(one.at_ns) - one.at_ns).cast(pl.Float64)
            line = one.offset_ns + (since * _slope(one, other)).round().cast(pl.Int64)
            offset = pl.when(at < other.at_ns).then(line).otherwise(offset)
        return (at - offset).alias(column)


MASTERS = Clock()
"""The master's own clock, and that of every process beside it."""


def clock_of(readings: Sequence[Reading]) -> Clock:
    """From readings in order of time. Only those are knots that the line between their neighbours misses: a
    clock that goes steadily has two, its first and its last."""
    kept = sorted(_knots(readings, 0, len(readings) - 1)) if readings else []
    return Clock(tuple(_knot(readings[place]) for place in kept), len(readings))


def _knots(readings: Sequence[Reading], first: int, last: int) -> set[int]:
    found, spans = {first, last}, [(first, last)]
    while spans:
        begin, end = spans.pop()
        one, other = _knot(readings[begin]), _knot(readings[end])
        misses = {place: _miss(readings[place], one, other) for place in range(begin + 1, end)}
        worst = max(misses, key=misses.__getitem__, default=None)
        if worst is not None and misses[worst] > 0:
            found.add(worst)
            spans += [(begin, worst), (worst, end)]
    return found


def _miss(reading: Reading, one: Knot, other: Knot) -> float:
    """By how much the line between two knots is outside what a reading allows."""
    offset = _between(one, other, reading.at_ns)
    return max(reading.low_ns - offset, offset - reading.high_ns, 0)


def _knot(reading: Reading) -> Knot:
    middle = (reading.low_ns + reading.high_ns) // 2
    return Knot(reading.at_ns, middle, -(-reading.round_trip_ns // 2))


def _slope(one: Knot, other: Knot) -> float:
    return (other.offset_ns - one.offset_ns) / max(other.at_ns - one.at_ns, 1)


def _between(one: Knot, other: Knot, at_ns: int) -> int:
    return one.offset_ns + round((at_ns - one.at_ns) * _slope(one, other))


class Machine(msgspec.Struct, frozen=True):
    """What environment.json says of a machine that held a part of the swarm. `processes`: all that it should
    have had; `missing`: those whose ledger did not come."""

    processes: tuple[str, ...]
    clock: Clock = MASTERS
    missing: tuple[str, ...] = ()
    described: dict[str, Any] = {}


def machines_of(environment: Mapping[str, Any]) -> dict[str, Machine]:
    """By name; none if the whole run was on one machine. Raises LedgerError if that makes no sense."""
    try:
        return msgspec.convert(environment.get("machines", {}), dict[str, Machine])
    except msgspec.ValidationError as error:
        raise LedgerError(f"environment.json: machines make no sense: {error}") from error


def uncertainty_ns(machines: Mapping[str, Machine]) -> int:
    """By how much a time of one machine may be wrong beside one of another, for the worst two; 0 on one."""
    known_worst = sorted((machine.clock.uncertainty_ns for machine in machines.values()), reverse=True)
    # Beside the master's own clock, which is certain, it is less.
    return sum(known_worst[:2])


def clocks_of(environment: Mapping[str, Any]) -> dict[str, Clock]:
    """By process, without those on the master's clock."""
    return {
        process: machine.clock
        for name, machine in machines_of(environment).items()
        for process in (*machine.processes, samples_of(name))
        if machine.clock.knots
    }


def samples_of(machine: str) -> str:
    """Under which name a machine samples itself."""
    return f"machine-{machine}"

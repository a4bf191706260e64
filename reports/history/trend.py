"""The key figures of a series, and where they changed for good.

A change point is where the runs before and after differ more than chance explains: the two parts are told
apart by the cumulative sum of deviations from the mean, and chance by shuffling the runs (Taylor 2000); few
runs are parts where far more lies between them than within them. What is found is looked through again on
either side. A part has at least LEAST runs, so that one bad run is none.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from reports.figures import duration, exact, share, size
from reports.history.series import Series

LEAST = 3
_SHUFFLES = 2000
_CERTAIN = 0.01
_FAR = 2.0
_LEAST_SHARE = 0.05
"""Of the figure: a smaller step is no change anybody needs to hear of."""

Say = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Key:
    """A figure worth following. `lower`: less is better."""

    path: str
    title: str
    say: Say
    lower: bool = True
    of: str = ""
    """A path to divide by."""


def _percent(value: float) -> str:
    return share(value, 1.0) if value else "0 %"


KEYS = (
    Key("latency_ms.deliver.p50", "delivery p50", duration),
    Key("latency_ms.deliver.p99", "delivery p99", duration),
    Key("latency_ms.ack.p99", "acknowledgement p99", duration),
    Key("latency_ms.heartbeat.p99", "heartbeat p99", duration),
    Key("latency_ms.reconnect.p99", "reconnection p99", duration),
    Key("checks.completeness.lost", "lost deliveries", exact),
    Key("checks.completeness.acked", "messages acknowledged", exact, lower=False),
    Key("checks.completeness.late", "late, of those expected", _percent, of="checks.completeness.expected"),
    Key("connections.peak", "connections at the peak", exact, lower=False),
    Key("heartbeats.missed", "heartbeats missed", exact),
    Key("generator.bytes_per_connection", "memory a connection, swarm", size),
    Key("server.bytes_per_connection", "memory a connection, server", size),
    Key("generator.cpu_s", "CPU in all, swarm", lambda value: f"{value:.3g} s"),
    Key("server.cpu_s", "CPU in all, server", lambda value: f"{value:.3g} s"),
    Key("wire.heartbeat.bytes", "on the wire, a heartbeat", size),
    Key("wire.message.bytes", "on the wire, a message", size),
)


@dataclass(frozen=True, slots=True)
class Step:
    """From run number `at` on the level is another."""

    at: int
    before: float
    after: float
    better: bool

    @property
    def share(self) -> float | None:
        return (self.after - self.before) / self.before if self.before else None


@dataclass(frozen=True, slots=True)
class Trend:
    """`values` of each run of the series, None where it has none; `steps` in their order."""

    key: Key
    values: tuple[float | None, ...]
    steps: tuple[Step, ...]
    noise: float
    """How far runs between two steps usually are from their level (standard deviation)."""

    @property
    def known(self) -> list[float]:
        return [value for value in self.values if value is not None]

    @property
    def unusual(self) -> bool:
        """The last run is more than three times the usual noise away from its level."""
        level = self.known[self.last_step :]
        if len(level) <= LEAST or self.values[-1] is None:
            return False
        away = abs(level[-1] - float(np.median(level[:-1])))
        return away > 3 * self.noise and away > _LEAST_SHARE * abs(float(np.median(level[:-1])))

    @property
    def last_step(self) -> int:
        """From which of the known values on nothing changed."""
        return sum(value is not None for value in self.values[: self.steps[-1].at]) if self.steps else 0


def trends(series: Series) -> list[Trend]:
    """Of every key figure that two runs or more have and that is not always nothing."""
    found = []
    for key in KEYS:
        values = tuple(
            _value(run.at_path(key.path), run.at_path(key.of) if key.of else 1.0) for run in series.runs
        )
        known = [value for value in values if value is not None]
        if len(known) > 1 and any(known):
            found.append(_trend(key, values))
    return found


def _value(value: float | None, of: float | None) -> float | None:
    return None if value is None or not of else value / of


def _trend(key: Key, values: tuple[float | None, ...]) -> Trend:
    places = [place for place, value in enumerate(values) if value is not None]
    known = np.array([value for value in values if value is not None])
    splits = change_points(known)
    steps, edges = [], [0, *splits, len(known)]
    for begin, at, end in zip(edges, splits, edges[2:], strict=False):
        before, after = float(np.median(known[begin:at])), float(np.median(known[at:end]))
        steps.append(Step(places[at], before, after, (after < before) == key.lower))
    parts = [known[begin:end] for begin, end in pairwise(edges)]
    apart = np.concatenate([part - np.median(part) for part in parts])
    return Trend(key, values, tuple(steps), float(np.std(apart)))


def change_points(values: Sequence[float] | np.ndarray) -> list[int]:
    """The first places of all parts but the first, in order. The same values give the same places."""
    values = np.asarray(values, float)
    dice = np.random.default_rng(len(values))
    found: list[int] = []
    open_parts = [(0, len(values))]
    while open_parts:
        begin, end = open_parts.pop()
        at = _split(values[begin:end], dice)
        if at is not None:
            found.append(begin + at)
            open_parts += [(begin, begin + at), (begin + at, end)]
    return sorted(found)


def _split(values: np.ndarray, dice: np.random.Generator) -> int | None:
    if len(values) < 2 * LEAST or np.ptp(values) == 0:
        return None
    # Of ranks: one run that went quite wrong must not look like a new level.
    ranks = np.argsort(np.argsort(values)).astype(float)
    reach = float(_reaches(ranks[None, :])[0])
    at = _between(values)
    shuffled = dice.permuted(np.tile(ranks, (_SHUFFLES, 1)), axis=1)
    chance = float(np.mean(_reaches(shuffled) >= reach))
    before, after = float(np.median(values[:at])), float(np.median(values[at:]))
    is_told = chance < _CERTAIN or _apart(values[:at], values[at:])
    if not is_told or abs(after - before) <= _LEAST_SHARE * max(abs(before), abs(after)):
        return None
    return at


def _apart(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether there is more than twice as much between the two parts as within either: from less than ten
    runs no shuffling can be surprising, however far apart they are."""
    gap = max(after.min() - before.max(), before.min() - after.max())
    return bool(gap > _FAR * max(np.ptp(before), np.ptp(after)))


def _between(values: np.ndarray) -> int:
    """Where two parts begin and end that lie closest around their medians."""
    places = range(LEAST, len(values) - LEAST + 1)
    return min(places, key=lambda at: _spread(values[:at]) + _spread(values[at:]))


def _spread(values: np.ndarray) -> float:
    return float(np.abs(values - np.median(values)).sum())


def _reaches(ranks: np.ndarray) -> np.ndarray:
    """How far the sum of deviations goes from nothing, in each row."""
    furthest: np.ndarray = _scaled(ranks).max(axis=1)
    return furthest


def _scaled(ranks: np.ndarray) -> np.ndarray:
    """By place: |sum of deviations before it|, larger near the ends, where it has less room to grow."""
    runs = ranks.shape[1]
    sums = np.abs(np.cumsum(ranks - ranks.mean(axis=1, keepdims=True), axis=1))[:, LEAST - 1 : runs - LEAST]
    places = np.arange(LEAST, runs - LEAST + 1)
    scaled: np.ndarray = sums / np.sqrt(places * (runs - places))
    return scaled

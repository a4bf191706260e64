"""A metric, and a family: what it measured at one moment. Every metric that is made is in `described`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """As Prometheus names them."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Point:
    """One value, by the values of the metric's labels in their order."""

    labels: tuple[str, ...]
    value: float


@dataclass(frozen=True, slots=True)
class Distribution:
    """How many values lay up to each of the metric's bounds (not added up), and beyond the last; `total` is
    the sum of the values."""

    labels: tuple[str, ...]
    counts: tuple[int, ...]
    total: float

    @property
    def count(self) -> int:
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Metric:
    """`name` ends with its unit, and with `_total` if it is a counter. `bounds`: upper ends of buckets."""

    name: str
    kind: Kind
    text: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()

    def of(self, *points: Point | Distribution) -> "Family":
        """What it measured."""
        return Family(self, points)

    def value(self, value: float, *labels: str) -> "Family":
        """The same, of a single value."""
        return Family(self, (Point(labels, value),))

    def spread(self, values: Mapping[float, int], *labels: str) -> Distribution:
        """Of values and how often each was."""
        counts, total = [0] * (len(self.bounds) + 1), 0.0
        for value, often in values.items():
            place = next((nth for nth, bound in enumerate(self.bounds) if value <= bound), len(self.bounds))
            counts[place] += often
            total += value * often
        return Distribution(labels, tuple(counts), total)


@dataclass(frozen=True, slots=True)
class Family:
    """`points` are Distributions if the metric is a histogram."""

    metric: Metric
    points: Sequence[Point | Distribution]


_described: dict[str, Metric] = {}


def describe(
    name: str, kind: Kind, text: str, labels: Iterable[str] = (), bounds: Iterable[float] = ()
) -> Metric:
    """A metric that is in the documentation from now on. Raises ValueError for a name that is taken, or that
    says something else than its kind."""
    if name in _described:
        raise ValueError(f"the metric {name} is described twice")
    if name.endswith("_total") != (kind is Kind.COUNTER):
        raise ValueError(f"the metric {name}: counters end with _total, and nothing else does")
    metric = _described[name] = Metric(name, kind, text, tuple(labels), tuple(bounds))
    return metric


def described() -> list[Metric]:
    """All metrics of the modules that were imported, by name."""
    return [metric for _, metric in sorted(_described.items())]

"""Durations by name: how many of each in a second as a text, and HDR histograms of whole runs.

Everything is in microseconds, 1 µs to an hour, to three digits.
"""

import math
from collections import Counter
from collections.abc import Iterable

import numpy as np
from hdrh.histogram import HdrHistogram

LOWEST_US = 1
HIGHEST_US = 3_600_000_000
DIGITS = 3


def new_histogram() -> HdrHistogram:
    """An empty histogram in microseconds."""
    return HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS)


class Histograms:
    """Recording keeps the value; `flush`, once a second in each of dozens of processes, only counts: an HDR
    histogram is thousands of counters to be cleared, added up and packed, however few values came."""

    def __init__(self) -> None:
        self._raw: dict[str, list[float]] = {}
        self._totals: dict[str, Counter[int]] = {}

    def record(self, name: str, seconds: float) -> None:
        self._raw.setdefault(name, []).append(seconds)

    def flush(self) -> dict[str, str]:
        """What was recorded since the last flush by name, `value:count,value:count`; names without values are
        left out."""
        raw, self._raw = self._raw, {}
        counted = {name: Counter(map(_rounded, values)) for name, values in raw.items()}
        for name, counts in counted.items():
            self._totals.setdefault(name, Counter()).update(counts)
        return {
            name: ",".join(f"{value}:{count}" for value, count in counts.items())
            for name, counts in counted.items()
        }

    def totals(self) -> dict[str, str]:
        """Everything flushed so far, a base64 HDR histogram by name: what `histograms.json` holds."""
        return {name: encoded(_of_counts(counts.items())) for name, counts in self._totals.items()}


def encoded(histogram: HdrHistogram) -> str:
    """Base64, as HDR histograms are exchanged."""
    return str(histogram.encode().decode("ascii"))


def merged(histograms: list[str]) -> HdrHistogram:
    """One histogram of many base64 ones, such as those of several processes."""
    total = new_histogram()
    for one in histograms:
        total.add(HdrHistogram.decode(one))
    return total


def merged_seconds(texts: list[str]) -> HdrHistogram:
    """One histogram of what `flush` gave, in many seconds or processes. Raises ValueError for other text."""
    try:
        pairs = np.array(",".join(texts).replace(":", ",").split(","), dtype=np.int64).reshape(-1, 2)
    except ValueError as error:
        raise ValueError(f"no counts of durations: {error}") from error
    values, places = np.unique(pairs[:, 0], return_inverse=True)
    counts = np.bincount(places, weights=pairs[:, 1]).astype(np.int64)
    return _of_counts(zip(values.tolist(), counts.tolist(), strict=True))


def _of_counts(counts: Iterable[tuple[int, int]]) -> HdrHistogram:
    histogram = new_histogram()
    for value, count in counts:
        histogram.record_value(value, count)
    return histogram


def _rounded(seconds: float) -> int:
    """Microseconds to one digit more than the histograms keep: few distinct values, and not coarser."""
    microseconds = min(max(round(seconds * 1e6), LOWEST_US), HIGHEST_US)
    if microseconds < 10 ** (DIGITS + 1):
        return microseconds
    unit: int = 10 ** (int(math.log10(microseconds)) - DIGITS)
    return (microseconds + unit // 2) // unit * unit

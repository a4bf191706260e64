"""Durations by name: how many of each in a second as a text, and HDR histograms of whole runs.

Everything is in microseconds, 1 µs to an hour, to three digits.
"""

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

    def flush(self) -> dict[str, Counter[int]]:
        """What was recorded since the last flush by name: how often how many microseconds. Names without
        values are left out."""
        raw, self._raw = self._raw, {}
        counted = {name: _counted(values) for name, values in raw.items()}
        for name, counts in counted.items():
            self._totals.setdefault(name, Counter()).update(counts)
        return counted

    def totals(self) -> dict[str, str]:
        """Everything flushed so far, a base64 HDR histogram by name: what `histograms.json` holds."""
        return {name: encoded(_of_counts(counts.items())) for name, counts in self._totals.items()}


def as_text(counts: Counter[int]) -> str:
    """`value:count,value:count`: what the samples of a second hold, and `merged_seconds` reads."""
    return ",".join(f"{value}:{count}" for value, count in counts.items())


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
    """One histogram of texts of `as_text`, of many seconds or processes. Raises ValueError for other text."""
    told = ",".join(text for text in texts if text)
    if not told:
        return new_histogram()
    try:
        pairs = np.array(told.replace(":", ",").split(","), dtype=np.int64).reshape(-1, 2)
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


def _counted(seconds: list[float]) -> Counter[int]:
    """How often how many microseconds, to DIGITS digits: few distinct values are cheap wherever they go."""
    microseconds = np.clip(np.array(seconds) * 1e6, LOWEST_US, HIGHEST_US)
    unit = 10.0 ** np.maximum(np.floor(np.log10(microseconds)) - (DIGITS - 1), 0)
    rounded = (np.round(microseconds / unit) * unit).astype(np.int64)
    values, counts = np.unique(np.minimum(rounded, HIGHEST_US), return_counts=True)
    return Counter(dict(zip(values.tolist(), counts.tolist(), strict=True)))

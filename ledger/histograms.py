"""HDR histograms of durations: 1 µs to an hour, three digits, one a second and one for the whole run."""

import numpy as np
from hdrh.histogram import HdrHistogram

LOWEST_US = 1
HIGHEST_US = 3_600_000_000
DIGITS = 3


def new_histogram() -> HdrHistogram:
    """An empty histogram in microseconds."""
    return HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS)


class Histograms:
    """Durations by name. Recording only keeps the value; the histograms are built at each `flush`."""

    def __init__(self) -> None:
        self._raw: dict[str, list[float]] = {}
        self._totals: dict[str, HdrHistogram] = {}
        self._second = new_histogram()

    def record(self, name: str, seconds: float) -> None:
        self._raw.setdefault(name, []).append(seconds)

    def flush(self) -> dict[str, str]:
        """What was recorded since the last flush, base64 by name, names without values left out."""
        raw, self._raw = self._raw, {}
        return {name: self._encode(name, values) for name, values in raw.items()}

    def totals(self) -> dict[str, str]:
        """Everything flushed so far, base64 by name: what `histograms.json` holds."""
        return {name: total.encode().decode("ascii") for name, total in self._totals.items()}

    def _encode(self, name: str, values: list[float]) -> str:
        second = self._second
        second.reset()
        microseconds = np.clip(np.array(values) * 1e6, LOWEST_US, HIGHEST_US)
        # Three digits are kept anyway; rounding first leaves few distinct values for the slow part.
        unit = 10.0 ** np.maximum(np.floor(np.log10(microseconds)) - (DIGITS - 1), 0)
        rounded = (np.round(microseconds / unit) * unit).astype(np.int64)
        for value, count in zip(*np.unique(rounded, return_counts=True), strict=True):
            second.record_value(min(int(value), HIGHEST_US), int(count))
        total = self._totals.get(name)
        if total is None:
            total = self._totals[name] = new_histogram()
        total.add(second)
        return str(second.encode().decode("ascii"))


def merged(encoded: list[str]) -> HdrHistogram:
    """One histogram of many base64 ones: of several processes, or of several seconds."""
    total = new_histogram()
    for one in encoded:
        total.add(HdrHistogram.decode(one))
    return total

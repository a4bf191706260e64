"""The histograms of a whole run, from what its processes sampled."""

from collections.abc import Iterator

import polars as pl

from ledger.histograms import merged

SECONDS, TOTALS = "histograms_", "histogram_totals_"
"""Beginnings of the sample columns with the histograms of one second, and of a process up to its end."""


def run_histograms(samples: pl.DataFrame) -> dict[str, str]:
    """Base64 by name: what `histograms.json` holds. A process that closed said in its last sample what all
    its seconds add up to; of one that was killed the seconds are merged."""
    return {
        name: merged(encoded).encode().decode("ascii")
        for name in sorted(_names(samples))
        if (encoded := [*_encoded(samples, name)])
    }


def _names(samples: pl.DataFrame) -> set[str]:
    return {
        column.removeprefix(prefix)
        for prefix in (SECONDS, TOTALS)
        for column in samples.columns
        if column.startswith(prefix)
    }


def _encoded(samples: pl.DataFrame, name: str) -> Iterator[str]:
    columns = [column for column in (TOTALS + name, SECONDS + name) if column in samples.columns]
    # A process that was started again under its name counts from zero: only its pid tells them apart.
    for _, lines in samples.select("process", "pid", *columns).group_by("process", "pid"):
        for column in columns:
            told = lines[column].drop_nulls()
            if not told.is_empty():
                yield from told
                break

"""The histograms of a whole run, from what its processes sampled."""

import polars as pl
from hdrh.histogram import HdrHistogram

from ledger.histograms import encoded, merged, merged_seconds

SECONDS, TOTALS = "histograms_", "histogram_totals_"
"""Beginnings of the sample columns with the histograms of one second, and of a process up to its end."""


def run_histograms(samples: pl.DataFrame) -> dict[str, str]:
    """Base64 by name: what `histograms.json` holds. A process that closed said in its last sample what all
    its seconds add up to; of one that was killed the seconds are merged."""
    histograms = {name: _run_histogram(samples, name) for name in sorted(_names(samples))}
    return {name: encoded(each) for name, each in histograms.items() if each.get_total_count()}


def _names(samples: pl.DataFrame) -> set[str]:
    return {
        column.removeprefix(prefix)
        for prefix in (SECONDS, TOTALS)
        for column in samples.columns
        if column.startswith(prefix)
    }


def _run_histogram(samples: pl.DataFrame, name: str) -> HdrHistogram:
    totals, seconds = (
        column if column in samples.columns else None for column in (TOTALS + name, SECONDS + name)
    )
    whole: list[str] = []
    cut_short: list[str] = []
    # A process that was started again under its name counts from zero: only its pid tells them apart.
    for _, lines in samples.group_by("process", "pid"):
        told = [] if totals is None else lines[totals].drop_nulls().to_list()
        whole += told
        if not told and seconds is not None:
            cut_short += lines[seconds].drop_nulls().to_list()
    histogram = merged(whole)
    if cut_short:
        histogram.add(merged_seconds(cut_short))
    return histogram

"""The 99 % quantile of deliveries second by second, of the first run of each side."""

import polars as pl

from reports.bands import time_axis
from reports.canvas import Sheet, duration_axis
from reports.chart import Chart
from reports.compare.chart import chart, colour_of, keys
from reports.compare.comparison import Comparison
from reports.evidence import Evidence
from reports.figures import duration, plural, second


@chart(order=30, title="Delivery p99 over time")
def over_time(comparison: Comparison) -> Chart:
    """Faults are those of the first side."""
    evidence = comparison.sides[0].first.evidence
    lines = [
        (place, _p99(side.first.evidence))
        for place, side in enumerate(comparison.sides)
        if side.first.evidence.first_deliveries.height
    ]
    if not lines:
        return Chart("Nothing was delivered on either side, so there is no latency.")
    peaks = []
    for place, frame in lines:
        row = frame.row(int(frame["p99"].arg_max() or 0), named=True)
        peaks.append(f"{comparison.sides[place].label} {duration(row['p99'])} at {second(row['t'])}")
    faults = plural(len(evidence.bands), "fault")
    sentence = f"Peaks: {', '.join(peaks)}; shaded: {faults} of the first side."
    return Chart(
        sentence,
        lambda sheet: _draw(sheet, evidence, lines),
        keys(comparison.sides),
        height=320,
        narrow_height=280,
    )


def _p99(evidence: Evidence) -> pl.DataFrame:
    width = max(evidence.bin_s, 1.0)
    return (
        evidence.first_deliveries.lazy()
        .group_by(evidence.binned("planned_ns", width))
        .agg(p99=pl.col("latency_ms").quantile(0.99))
        .drop_nulls()
        .sort("t")
        .collect()
    )


def _draw(sheet: Sheet, evidence: Evidence, lines: list[tuple[int, pl.DataFrame]]) -> None:
    axes = sheet.axes()
    for place, frame in lines:
        axes.plot(frame["t"].to_numpy(), frame["p99"].to_numpy(), color=colour_of(place), linewidth=1.8)
    duration_axis(axes)
    axes.set_ylabel("p99")
    time_axis(sheet, axes, evidence)

"""Cause beside effect: delivery latency second by second, with the faults behind it."""

import numpy as np
import polars as pl

from reports.bands import time_axis
from reports.canvas import Sheet, duration_axis
from reports.chart import Chart, Key, Summary, chart
from reports.evidence import Evidence
from reports.figures import duration, second
from reports.palette import BLUE, GREEN, GREY, VERMILLION
from reports.telling import Telling

_LINES = (("p50", 0.5, BLUE, "-", 2.2), ("p90", 0.9, GREEN, "-", 1.6), ("p99", 0.99, VERMILLION, "-", 1.6))


@chart(order=20, title="Delivery latency over time", audience="both", glance=1)
def latency_over_time(evidence: Evidence, summary: Summary) -> Chart:
    """Quantiles of the deliveries whose send was planned in each second (or longer bin)."""
    frame = evidence.first_deliveries
    if frame.height == 0:
        return Chart("Nothing was delivered, so there is no latency.")
    width = max(evidence.bin_s, 1.0)
    binned = (
        frame.lazy()
        .group_by(evidence.binned("planned_ns", width))
        .agg(
            *(pl.col("latency_ms").quantile(q).alias(name) for name, q, *_ in _LINES),
            pl.col("latency_ms").max().alias("worst"),
        )
        .sort("t")
        .collect()
    )
    peak = binned.row(int(binned["p99"].arg_max() or 0), named=True)
    covering = [
        band.label for band in evidence.bands if band.start_s - width <= peak["t"] <= band.end_s + width
    ]
    usual = float(np.median(binned["p99"].to_numpy()))
    tell = Telling()
    calm, most = tell("usual_p99_ms", duration, usual), tell("peak_p99_ms", duration, peak["p99"])
    during = f", during {' and '.join(dict.fromkeys(covering))}" if covering else ""
    sentence = (
        f"The 99 % quantile lies at {calm} in the median second and peaks at {most} around "
        f"{tell('peak_at_s', second, peak['t'] - width / 2)}{during}; counted from the planned send, in the "
        "second in which it was planned."
    )
    keys = (*(Key(name, colour) for name, _, colour, *_ in _LINES), Key("slowest", GREY, "dash"))
    return Chart(
        sentence,
        lambda sheet: _draw(sheet, evidence, binned),
        keys,
        height=340,
        narrow_height=300,
        figures=tell.figures,
        gist=f"99 % within {calm} in the median second, {most} at most{during}.",
    )


def _draw(sheet: Sheet, evidence: Evidence, binned: pl.DataFrame) -> None:
    axes = sheet.axes()
    times = binned["t"].to_numpy()
    axes.plot(times, binned["worst"].to_numpy(), color=GREY, linewidth=1.1, linestyle=(0, (2, 2)))
    for name, _, colour, style, width in reversed(_LINES):
        axes.plot(times, binned[name].to_numpy(), color=colour, linewidth=width, linestyle=style)
    duration_axis(axes)
    axes.set_ylabel("latency")
    time_axis(sheet, axes, evidence)

"""Every percentile of every side at once: x = 1/(1−p), so that each further nine has the same room."""

import numpy as np
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from reports.canvas import Sheet, duration_axis
from reports.chart import Chart
from reports.compare.chart import chart, colour_of, keys
from reports.compare.comparison import Comparison
from reports.figures import duration

_POINTS = 120
_MARKS = {
    1.0: "0 %",
    2.0: "50 %",
    10.0: "90 %",
    100.0: "99 %",
    1e3: "99.9 %",
    1e4: "99.99 %",
    1e5: "99.999 %",
}


@chart(order=20, title="Delivery latency by percentile")
def spectrum(comparison: Comparison) -> Chart:
    """A line a run, in the colour of its side."""
    curves = [
        (place, run.evidence.latencies_ms.to_numpy())
        for place, side in enumerate(comparison.sides)
        for run in side.runs
    ]
    curves = [(place, values) for place, values in curves if len(values)]
    if not curves:
        return Chart("Nothing was delivered on either side, so there are no percentiles.")
    told = []
    for place, side in enumerate(comparison.sides):
        own = [values for at, values in curves if at == place]
        if own:
            p50, p99 = (float(np.mean([np.quantile(values, q) for values in own])) for q in (0.5, 0.99))
            told.append(f"{side.label}: half within {duration(p50)}, 99 % within {duration(p99)}")
    sentence = "; ".join(told) + ". Counted from the planned send."
    return Chart(
        sentence, lambda sheet: _draw(sheet, curves), keys(comparison.sides), height=320, narrow_height=270
    )


def _draw(sheet: Sheet, curves: list[tuple[int, np.ndarray]]) -> None:
    axes = sheet.axes()
    most = max(len(values) for _, values in curves)
    for place, values in curves:
        x = np.geomspace(1.0, max(len(values), 2), _POINTS)
        ranks = np.minimum((len(values) * (1 - 1 / x)).astype(int), len(values) - 1)
        axes.plot(x, np.maximum(values[ranks], 1e-3), color=colour_of(place), linewidth=1.8, alpha=0.85)
    axes.set_xscale("log")
    marks = {at: text for at, text in _MARKS.items() if at <= most}
    if sheet.narrow:
        marks = {at: text for at, text in marks.items() if at in (2.0, 10.0, 100.0, 1e3, 1e4)}
    axes.xaxis.set_major_locator(FixedLocator(list(marks)))
    axes.xaxis.set_major_formatter(FixedFormatter(list(marks.values())))
    axes.xaxis.set_minor_locator(NullLocator())
    duration_axis(axes)
    axes.set_ylabel("latency")
    axes.set_xlabel("share of deliveries that took less")

"""Heartbeats, logins and returns at every percentile, from the merged histograms of all processes."""

import numpy as np
from hdrh.histogram import HdrHistogram
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from ledger.histograms import merged
from ledger.run_histograms import run_histograms
from reports.canvas import Sheet, duration_axis
from reports.chart import Chart, Key, Summary, chart
from reports.evidence import Evidence
from reports.figures import duration, exact
from reports.palette import BLUE, GREEN, ORANGE, RULE
from reports.telling import Telling

_NAMES = {
    "heartbeat": ("heartbeats", BLUE),
    "login": ("logins", GREEN),
    "reconnect": ("reconnections", ORANGE),
}
_NINES = ("0 %", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %", "99.9999 %", "99.99999 %")
_POINTS = 120
_US = 1000.0


@chart(order=112, title="Heartbeats, logins, reconnections by percentile", audience="planner")
def round_trips(evidence: Evidence, summary: Summary) -> Chart:
    """The histograms that each process kept, added up count by count: no percentile is averaged."""
    ledger = evidence.ledger
    kept = ledger.histograms or run_histograms(ledger.samples)
    found = {name: merged([kept[name]]) for name in _NAMES if name in kept}
    found = {name: histogram for name, histogram in found.items() if histogram.get_total_count()}
    if not found:
        return Chart("The processes left no histograms of heartbeats, logins or reconnections.")
    tell = Telling()
    parts = [
        f"{tell(f'{name}.count', exact, histogram.get_total_count())} {_NAMES[name][0]}: half within "
        f"{tell(f'{name}.p50_ms', duration, histogram.get_value_at_percentile(50) / _US)}, 99 % within "
        f"{tell(f'{name}.p99_ms', duration, histogram.get_value_at_percentile(99) / _US)}, the slowest "
        f"{tell(f'{name}.max_ms', duration, histogram.get_value_at_percentile(100) / _US)}"
        for name, histogram in found.items()
    ]
    return Chart(
        "; ".join(parts) + ". Histograms of all processes are merged, to three digits.",
        lambda sheet: _draw(sheet, found),
        tuple(Key(_NAMES[name][0], _NAMES[name][1]) for name in found),
        height=300,
        narrow_height=270,
        figures=tell.figures,
    )


def _draw(sheet: Sheet, found: dict[str, HdrHistogram]) -> None:
    axes = sheet.axes()
    most = max(histogram.get_total_count() for histogram in found.values())
    for name, histogram in found.items():
        x = np.geomspace(1, max(histogram.get_total_count(), 2), _POINTS)
        y = [histogram.get_value_at_percentile(100 * (1 - 1 / at)) / _US for at in x]
        axes.plot(x, np.maximum(y, 1e-3), color=_NAMES[name][1], linewidth=1.9)
    axes.set_xscale("log")
    shown = [n for n in range(len(_NINES)) if 10**n <= most][:: 2 if sheet.narrow and most >= 1e5 else 1]
    axes.xaxis.set_major_locator(FixedLocator([10.0**n for n in shown]))
    axes.xaxis.set_major_formatter(FixedFormatter([_NINES[n] for n in shown]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.grid(axis="x", color=RULE, linewidth=1)
    duration_axis(axes)
    axes.set_xlim(1, max(most, 2))
    axes.set_xlabel("share that took at most so long")
    axes.set_ylabel("round trip")

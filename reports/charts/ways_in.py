"""By which ways devices got in: which ports and carriers a network let through."""

import numpy as np
import polars as pl
from matplotlib.ticker import NullLocator

from reports.canvas import SMALL, Sheet
from reports.chart import Chart, Summary, chart
from reports.evidence import Evidence
from reports.figures import exact, plural, share
from reports.palette import BLUE, INK

_MOST = 12


@chart(order=78, title="Connections: ways in", audience="QA")
def ways_in(evidence: Evidence, summary: Summary) -> Chart:
    """Logins by path, the most common first."""
    ways = evidence.ways_in
    if ways.height == 0:
        return Chart("Nobody was logged in, so there was no way in.")
    total, first = int(ways["len"].sum()), ways.row(0)
    most = f"{first[0]} took {exact(first[1])} of {plural(total, 'login')} ({share(first[1], total)})"
    if ways.height == 1:
        return Chart(f"{most}; it was the only way.")
    rows = min(ways.height, _MOST)
    return Chart(
        f"{most}; there were {exact(ways.height)} ways in all.",
        lambda sheet: _draw(sheet, ways.head(_MOST), total),
        height=30 + 42 * rows,
        narrow_height=30 + 42 * rows,
    )


def _draw(sheet: Sheet, ways: pl.DataFrame, total: int) -> None:
    axes = sheet.axes()
    places = np.arange(ways.height)
    axes.barh(places, ways["len"].to_numpy(), height=0.36, color=BLUE)
    for place, (via, n) in zip(places, ways.iter_rows(), strict=True):
        axes.annotate(
            f"{via} · {exact(n)} · {share(n, total)}",
            (0, place - 0.25),
            xytext=(0, 2),
            textcoords="offset points",
            va="bottom",
            fontsize=SMALL,
            color=INK,
        )
    axes.set_ylim(ways.height - 0.6, -0.85)
    axes.xaxis.set_major_locator(NullLocator())
    axes.yaxis.set_major_locator(NullLocator())
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)

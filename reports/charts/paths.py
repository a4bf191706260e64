"""Which way back devices took: the same port, the next one, another carrier, a fallback address."""

import numpy as np
import polars as pl
from matplotlib.ticker import NullLocator

from reports.canvas import SMALL, Sheet
from reports.chart import Chart, Key, Summary, chart
from reports.evidence import Evidence
from reports.figures import exact, plural, share
from reports.palette import BLUE, INK, ORANGE

_MOST = 8


@chart(order=82, title="Reconnection: path taken", audience="QA")
def paths(evidence: Evidence, summary: Summary) -> Chart:
    """Path lost → path found, the most common first."""
    back = evidence.downtimes.filter(pl.col("login_ns").is_not_null())
    if back.height == 0:
        return Chart("No device came back, so no path was taken.")
    ways = (
        back.with_columns(pl.col("lost_via", "back_via").fill_null("unknown"))
        .group_by("lost_via", "back_via")
        .len()
        .sort(["len", "lost_via", "back_via"], descending=[True, False, False])
    )
    other = ways.filter(pl.col("lost_via") != pl.col("back_via"))
    moved, failed = int(other["len"].sum()), evidence.failed_tries
    most = (
        f", most of them {other[0, 'lost_via']} → {other[0, 'back_via']} ({exact(other[0, 'len'])})"
        if moved
        else ""
    )
    sentence = (
        f"{exact(moved)} of {plural(back.height, 'return')} ({share(moved, back.height)}) took another path"
        f"{most}; {plural(failed, 'try', 'tries')} to connect failed on the way."
    )
    keys = (Key("same path", BLUE, "area"), Key("another path", ORANGE, "area"))
    rows = min(ways.height, _MOST)
    rarer = ways.height - _MOST
    more = f" {plural(rarer, 'rarer way')} not drawn." if rarer > 0 else ""
    return Chart(
        sentence + more,
        lambda sheet: _draw(sheet, ways.head(_MOST), back.height),
        keys,
        height=30 + 42 * rows,
        narrow_height=30 + 42 * rows,
    )


def _draw(sheet: Sheet, ways: pl.DataFrame, total: int) -> None:
    axes = sheet.axes()
    places = np.arange(ways.height)
    same = ways["lost_via"] == ways["back_via"]
    axes.barh(places, ways["len"].to_numpy(), height=0.36, color=[BLUE if one else ORANGE for one in same])
    for place, (lost, found, n) in zip(places, ways.iter_rows(), strict=True):
        way = f"{lost}, again" if lost == found else f"{lost} → {found}"
        axes.annotate(
            f"{way} · {exact(n)} · {share(n, total)}",
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

"""Which way back devices took: the same port, the next one, another carrier, a fallback address."""

import polars as pl

from reports.canvas import Sheet
from reports.chart import Chart, Key, Summary, chart
from reports.evidence import Evidence
from reports.figures import exact, plural, share
from reports.palette import BLUE, ORANGE
from reports.ways import draw_ways, height, left_out

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
    drawn = ways.head(_MOST)
    return Chart(
        sentence + left_out(ways.height, _MOST),
        lambda sheet: _draw(sheet, drawn, back.height),
        keys,
        height=height(drawn.height),
        narrow_height=height(drawn.height),
    )


def _draw(sheet: Sheet, ways: pl.DataFrame, total: int) -> None:
    moves = list(zip(ways["lost_via"], ways["back_via"], strict=True))
    names = [f"{lost}, again" if lost == found else f"{lost} → {found}" for lost, found in moves]
    colours = [BLUE if lost == found else ORANGE for lost, found in moves]
    draw_ways(sheet, names, ways["len"].to_list(), total, colours)

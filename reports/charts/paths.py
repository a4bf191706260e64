"""Which way back devices took: the same port, the next one, another carrier, a fallback address."""

import polars as pl

from reports.canvas import Sheet
from reports.chart import Chart, Key, Summary, chart
from reports.evidence import Evidence
from reports.figures import exact
from reports.palette import BLUE, ORANGE
from reports.telling import Telling
from reports.ways import counted, draw_ways, height, left_out

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
    tell = Telling()
    most = (
        f", most of them {other[0, 'lost_via']} → {other[0, 'back_via']} "
        f"({tell('most', exact, other[0, 'len'])})"
        if moved
        else ""
    )
    sentence = (
        f"{tell('moved', exact, moved)} of {tell.plural('returns', back.height, 'return')} "
        f"({tell.share('moved_share', moved, back.height)}) took another path{most}; "
        f"{tell.plural('failed', failed, 'try', 'tries')} to connect failed on the way."
    )
    keys = (Key("same path", BLUE, "area"), Key("another path", ORANGE, "area"))
    drawn = ways.head(_MOST)
    tell.note("ways", counted(_names(drawn), drawn["len"].to_list(), back.height))
    return Chart(
        sentence + left_out(tell, ways.height, _MOST),
        lambda sheet: _draw(sheet, drawn, back.height),
        keys,
        height=height(drawn.height),
        narrow_height=height(drawn.height),
        figures=tell.figures,
    )


def _draw(sheet: Sheet, ways: pl.DataFrame, total: int) -> None:
    colours = [
        BLUE if lost == found else ORANGE
        for lost, found in zip(ways["lost_via"], ways["back_via"], strict=True)
    ]
    draw_ways(sheet, _names(ways), ways["len"].to_list(), total, colours)


def _names(ways: pl.DataFrame) -> list[str]:
    moves = zip(ways["lost_via"], ways["back_via"], strict=True)
    return [f"{lost}, again" if lost == found else f"{lost} → {found}" for lost, found in moves]

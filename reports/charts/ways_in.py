"""By which ways devices got in: which ports and carriers a network let through."""

from reports.chart import Chart, Summary, chart
from reports.evidence import Evidence
from reports.figures import exact, plural, share
from reports.palette import BLUE
from reports.ways import draw_ways, height, left_out

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
    drawn = ways.head(_MOST)
    return Chart(
        f"{most}; there were {exact(ways.height)} ways in all.{left_out(ways.height, _MOST)}",
        lambda sheet: draw_ways(
            sheet, drawn["via"].to_list(), drawn["len"].to_list(), total, [BLUE] * drawn.height
        ),
        height=height(drawn.height),
        narrow_height=height(drawn.height),
    )

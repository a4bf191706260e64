"""By which ways devices got in: which ports and carriers a network let through."""

from reports.chart import Chart, Summary, chart
from reports.evidence import Evidence
from reports.figures import exact
from reports.palette import BLUE
from reports.telling import Telling
from reports.ways import counted, draw_ways, height, left_out

_MOST = 12


@chart(order=78, title="Connections: ways in", audience="QA")
def ways_in(evidence: Evidence, summary: Summary) -> Chart:
    """Logins by path, the most common first."""
    ways = evidence.ways_in
    if ways.height == 0:
        return Chart("Nobody was logged in, so there was no way in.")
    total, first = int(ways["len"].sum()), ways.row(0)
    tell = Telling()
    most = (
        f"{first[0]} took {tell('most', exact, first[1])} of {tell.plural('logins', total, 'login')} "
        f"({tell.share('most_share', first[1], total)})"
    )
    if ways.height == 1:
        return Chart(f"{most}; it was the only way.", figures=tell.figures)
    drawn = ways.head(_MOST)
    tell.note("ways", counted(drawn["via"].to_list(), drawn["len"].to_list(), total))
    return Chart(
        f"{most}; there were {tell('ways_in_all', exact, ways.height)} ways in all."
        f"{left_out(tell, ways.height, _MOST)}",
        lambda sheet: draw_ways(
            sheet, drawn["via"].to_list(), drawn["len"].to_list(), total, [BLUE] * drawn.height
        ),
        height=height(drawn.height),
        narrow_height=height(drawn.height),
        figures=tell.figures,
    )

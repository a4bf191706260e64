"""Single deliveries: two clouds instead of one, or steps at the retransmission times, are seen at once."""

import polars as pl

from reports.bands import time_axis
from reports.canvas import Sheet, duration_axis, points
from reports.chart import Chart, Key, Summary, chart
from reports.evidence import ROUTES, Evidence
from reports.figures import duration, exact
from reports.palette import ROUTE_COLOURS
from reports.telling import Telling

_MOST = 1_200
_WORDS = {"push": "pushed at once", "retransmitted": "push repeated", "pull": "pulled", "poll": "polled"}


@chart(order=40, title="Single deliveries, by how they were reached", audience="QA")
def raw_deliveries(evidence: Evidence, summary: Summary) -> Chart:
    """Time of the planned send against latency, coloured by route, at most 1,200 dots a route."""
    frame = evidence.first_deliveries.filter(pl.col("latency_ms") > 0)
    if frame.height == 0:
        return Chart("Nothing was delivered, so there are no single deliveries.")
    routes = {route: frame.filter(pl.col("route") == route) for route in ROUTES}
    present = {route: part for route, part in routes.items() if part.height}
    tell = Telling()
    parts = [_told(tell, route, part, frame.height) for route, part in present.items()]
    thinned = {route: _thin(part) for route, part in present.items()}
    drawn = sum(part.height for part in thinned.values())
    note = (
        f" Drawn: {tell('drawn', exact, drawn)} of {tell('deliveries', exact, frame.height)}, every route "
        "thinned evenly."
        if drawn < frame.height
        else ""
    )
    keys = tuple(Key(_WORDS[route], ROUTE_COLOURS[route], "dot") for route in present)
    return Chart(
        ", ".join(parts) + "." + note,
        lambda sheet: _draw(sheet, evidence, thinned),
        keys,
        height=340,
        narrow_height=300,
        figures=tell.figures,
    )


def _told(tell: Telling, route: str, part: pl.DataFrame, total: int) -> str:
    median = float(part.select(pl.col("latency_ms").median()).item())
    return (
        f"{tell(f'{route}.count', exact, part.height)} ({tell.share(f'{route}.share', part.height, total)}) "
        f"{_WORDS[route]} at a median of {tell(f'{route}.median_ms', duration, median)}"
    )


def _thin(part: pl.DataFrame) -> pl.DataFrame:
    return part.gather_every(-(-part.height // _MOST))


def _draw(sheet: Sheet, evidence: Evidence, parts: dict[str, pl.DataFrame]) -> None:
    axes = sheet.axes()
    axes.set_yscale("log")
    for route, part in parts.items():
        x = part.select(evidence.seconds("planned_ns")).to_series().to_numpy()
        points(axes, x, part["latency_ms"].to_numpy(), ROUTE_COLOURS[route], 2.2 if sheet.narrow else 2.8)
    axes.autoscale_view(scalex=False)
    duration_axis(axes)
    axes.set_ylabel("latency")
    time_axis(sheet, axes, evidence)

"""Was the load reached? Connections planned and open, and how fast they were made and lost."""

import polars as pl

from reports.bands import shade, time_axis
from reports.canvas import Sheet, count_axis
from reports.chart import Chart, Key, Summary, chart
from reports.evidence import Evidence
from reports.figures import exact, second
from reports.palette import BLUE, GREEN, GREY, ORANGE, VERMILLION
from reports.telling import Telling


@chart(order=90, title="Connections", audience="planner", glance=3)
def connections(evidence: Evidence, summary: Summary) -> Chart:
    """Planned and open by the second; opened, failed and dropped a second."""
    frame = evidence.totals("generator", "target", "connections", "opened", "failed", "dropped")
    if frame.height < 2:
        return Chart("The processes left no samples, so nobody counted connections.")
    rates = frame.with_columns(
        pl.col(name).diff().fill_null(0).clip(lower_bound=0) / pl.col("t").diff().fill_null(1)
        for name in ("opened", "failed", "dropped")
    )
    peak = frame.row(int(frame["connections"].arg_max() or 0), named=True)
    busiest = rates.row(int(rates["opened"].arg_max() or 0), named=True)
    last = frame.row(-1, named=True)
    planned = frame.select(pl.col("target").max()).item()
    tell = Telling()
    most, wanted = tell("peak", exact, peak["connections"]), tell("planned", exact, planned)
    opened, dropped = tell("opened", exact, last["opened"]), tell("dropped", exact, last["dropped"])
    sentence = (
        f"{most} of {wanted} planned connections were open at the peak "
        f"({tell('peak_s', second, peak['t'])}); {opened} were opened in all, "
        f"{tell('busiest_second', exact, busiest['opened'])} in the busiest second, "
        f"{tell('failed', exact, last['failed'])} tries failed and {dropped} connections were dropped."
    )
    keys = (
        Key("planned", GREY, "dash"),
        Key("open", BLUE),
        Key("opened/s", GREEN),
        Key("failed/s", VERMILLION),
        Key("dropped/s", ORANGE),
    )
    return Chart(
        sentence,
        lambda sheet: _draw(sheet, evidence, rates),
        keys,
        height=400,
        narrow_height=400,
        figures=tell.figures,
        gist=f"{most} of {wanted} planned open at the peak; {dropped} dropped.",
    )


def _draw(sheet: Sheet, evidence: Evidence, frame: pl.DataFrame) -> None:
    held, rates = sheet.panels(2, 1, sharex=True, height_ratios=[1.25, 1])
    times = frame["t"].to_numpy()
    held.step(
        times, frame["target"].to_numpy(), where="post", color=GREY, linewidth=1.5, linestyle=(0, (2, 2))
    )
    held.plot(times, frame["connections"].to_numpy(), color=BLUE, linewidth=2)
    for name, colour in (("opened", GREEN), ("dropped", ORANGE), ("failed", VERMILLION)):
        rates.plot(times, frame[name].to_numpy(), color=colour, linewidth=1.6)
    count_axis(held)
    count_axis(rates, bins=4)
    held.set_ylabel("connections")
    rates.set_ylabel("a second")
    time_axis(sheet, held, evidence, label="")
    shade(rates, evidence.bands)
    rates.set_xlabel("seconds since the load began")

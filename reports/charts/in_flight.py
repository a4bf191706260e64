"""Lag or loss: what is merely late comes back to zero after the fault is healed; what is lost does not."""

import numpy as np
import polars as pl

from reports.bands import time_axis
from reports.canvas import Sheet, count_axis
from reports.chart import Chart, Summary, chart
from reports.evidence import Evidence
from reports.figures import exact, second
from reports.palette import BLUE
from reports.telling import Telling


@chart(order=50, title="In flight: deliveries due and not yet made", audience="QA", glance=2)
def in_flight(evidence: Evidence, summary: Summary) -> Chart:
    """Expected deliveries of the messages sent so far, less those that happened."""
    if evidence.sends.height == 0:
        return Chart("No message was sent, so nothing was in flight.")
    frame = evidence.backlog
    peak = frame.row(int(frame["in_flight"].arg_max() or 0), named=True)
    left = int(frame["in_flight"][-1])
    tell = Telling()
    still = tell.plural("left", left, "delivery is", "deliveries are")
    end = (
        f"at the end it is {tell('left', exact, left)}: whatever was late arrived"
        if left <= 0
        else f"at the end {still} still due"
    )
    most, when = tell("most", exact, peak["in_flight"]), tell("most_at_s", second, peak["t"])
    return Chart(
        f"At most {most} deliveries were due at once, {when} into the load; {end}.",
        lambda sheet: _draw(sheet, evidence, frame),
        height=270,
        narrow_height=250,
        figures=tell.figures,
        gist=f"At most {most} at once; {end}.",
    )


def _draw(sheet: Sheet, evidence: Evidence, frame: pl.DataFrame) -> None:
    axes = sheet.axes()
    times, values = frame["t"].to_numpy(), np.maximum(frame["in_flight"].to_numpy(), 0)
    axes.fill_between(times, values, step="post", color=BLUE, alpha=0.25, linewidth=0)
    axes.step(times, values, where="post", color=BLUE, linewidth=1.5)
    count_axis(axes)
    axes.set_ylabel("deliveries")
    time_axis(sheet, axes, evidence)

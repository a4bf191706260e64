"""Heartbeats: round trips, lateness and silence, the first sign of saturation."""

import polars as pl

from ledger.histograms import merged_seconds
from reports.bands import shade, time_axis
from reports.canvas import Sheet, count_axis, duration_axis
from reports.chart import Chart, Key, Summary, chart
from reports.evidence import Evidence
from reports.figures import duration, exact, second
from reports.palette import BLUE, GREY, ORANGE, VERMILLION
from reports.telling import Telling

_COUNTS = ("beats_due", "beats_answered", "beats_late", "beats_missed")
_MOST_BINS = 200


@chart(order=110, title="Heartbeats", audience="planner", glance=4)
def heartbeats(evidence: Evidence, summary: Summary) -> Chart:
    """Round trip quantiles by the second from the histograms; late and missed beats a second."""
    counts = evidence.totals("generator", *_COUNTS)
    if counts.height < 2 or not counts["beats_due"][-1]:
        return Chart("No heartbeat was due, or the processes left no samples of them.")
    trips = _round_trips(evidence)
    rates = counts.select("t", *(pl.col(name).diff().fill_null(0).clip(lower_bound=0) for name in _COUNTS))
    last = counts.row(-1, named=True)
    tell = Telling()
    trip = gist = ""
    if trips.height:
        slowest = trips.row(int(trips["p99"].arg_max() or 0), named=True)
        usual = float(trips.select(pl.col("p50").median()).item())
        typical, most = tell("usual_ms", duration, usual), tell("peak_p99_ms", duration, slowest["p99"])
        gist = f"; round trip {typical} in the median second, p99 {most} at most"
        trip = (
            f" The median round trip is {typical} in the median second; the 99 % quantile peaks at "
            f"{tell('peak_s', second, slowest['t'])} with {most}."
        )
    due, answered, late, missed = (tell(name.removeprefix("beats_"), exact, last[name]) for name in _COUNTS)
    sentence = (
        f"{due} heartbeats were due: {answered} answered, {late} late, {missed} missed "
        f"({tell.share('missed_share', last['beats_missed'], last['beats_due'])}).{trip}"
    )
    keys = (Key("round trip p50", BLUE), Key("p99", VERMILLION), Key("late/s", ORANGE), Key("missed/s", GREY))
    return Chart(
        sentence,
        lambda sheet: _draw(sheet, evidence, trips, rates),
        keys,
        height=400,
        narrow_height=400,
        figures=tell.figures,
        gist=f"{answered} of {due} answered{gist}.",
    )


def _round_trips(evidence: Evidence) -> pl.DataFrame:
    told = evidence.samples("generator").filter(pl.col("histograms_heartbeat").is_not_null())
    low, high = evidence.span_s
    width = max(1.0, round((high - low) / _MOST_BINS))
    grouped = (
        told.group_by(((pl.col("t") / width).floor() * width).alias("t"))
        .agg(pl.col("histograms_heartbeat"))
        .sort("t")
    )
    rows = []
    for t, encoded in grouped.iter_rows():
        histogram = merged_seconds(encoded)
        if histogram.get_total_count():
            p50, p99 = (histogram.get_value_at_percentile(p) / 1000 for p in (50, 99))
            rows.append((t, p50, p99))
    return pl.DataFrame(rows, schema={"t": pl.Float64, "p50": pl.Float64, "p99": pl.Float64}, orient="row")


def _draw(sheet: Sheet, evidence: Evidence, trips: pl.DataFrame, rates: pl.DataFrame) -> None:
    above, below = sheet.panels(2, 1, sharex=True, height_ratios=[1.4, 1])
    for name, colour in (("p99", VERMILLION), ("p50", BLUE)):
        above.plot(trips["t"].to_numpy(), trips[name].to_numpy(), color=colour, linewidth=1.8)
    times = rates["t"].to_numpy()
    for name, colour in (("beats_missed", GREY), ("beats_late", ORANGE)):
        below.plot(times, rates[name].to_numpy(), color=colour, linewidth=1.6)
    duration_axis(above)
    count_axis(below, bins=3)
    above.set_ylabel("round trip")
    below.set_ylabel("a second")
    time_axis(sheet, above, evidence, label="")
    shade(below, evidence.bands)
    below.set_xlabel("seconds since the load began")

"""Is the run valid? What the load model wanted, what the tester started, what the server acknowledged."""

import polars as pl

from reports.bands import shade, time_axis
from reports.canvas import Sheet, count_axis
from reports.chart import Chart, Key, Summary, chart
from reports.evidence import Evidence
from reports.figures import duration, exact, rate
from reports.palette import BLUE, GREEN, GREY, VERMILLION
from reports.telling import Telling

_LATE_NS = 50_000_000


@chart(order=100, title="Offered and achieved rate", audience="planner")
def offered(evidence: Evidence, summary: Summary) -> Chart:
    """Messages a second: planned, started, acknowledged; and those started more than 50 ms late."""
    sends = evidence.sends
    if sends.height == 0:
        return Chart("No message was sent, so no rate was offered.")
    width = max(evidence.bin_s, 1.0)
    late = sends.filter(pl.col("at_ns") - pl.col("planned_ns") > _LATE_NS)
    acked = sends.filter(pl.col("acked_ns").is_not_null())
    frame = _per_bin(evidence, sends, width, "planned_ns", "planned")
    for part, column, name in (
        (sends, "at_ns", "started"),
        (acked, "acked_ns", "acked"),
        (late, "at_ns", "late"),
    ):
        frame = frame.join(_per_bin(evidence, part, width, column, name), on="t", how="full", coalesce=True)
    frame = frame.fill_null(0).sort("t")
    delay = float(sends.select((pl.col("at_ns") - pl.col("planned_ns")).max()).item()) / 1e6
    length = (sends["planned_ns"][-1] - sends["planned_ns"][0]) / 1e9 or 1.0
    tell = Telling()
    sentence = (
        f"{tell('started', exact, sends.height)} messages were started, "
        f"{tell('started_a_second', rate, sends.height / length)} a second on average; "
        f"{tell('late', exact, late.height)} ({tell.share('late_share', late.height, sends.height)}) "
        f"more than {tell('late_after_ms', duration, _LATE_NS / 1e6)} after their plan, the latest by "
        f"{tell('latest_ms', duration, delay)}; {tell('acked', exact, acked.height)} were acknowledged."
    )
    keys = (
        Key("planned/s", GREY, "dash"),
        Key("started/s", BLUE),
        Key("acknowledged/s", GREEN),
        Key("late/s", VERMILLION, "area"),
    )
    return Chart(
        sentence,
        lambda sheet: _draw(sheet, evidence, frame, width),
        keys,
        height=380,
        narrow_height=380,
        figures=tell.figures,
    )


def _per_bin(evidence: Evidence, frame: pl.DataFrame, width: float, column: str, name: str) -> pl.DataFrame:
    return frame.group_by(evidence.binned(column, width)).agg((pl.len() / width).alias(name))


def _draw(sheet: Sheet, evidence: Evidence, frame: pl.DataFrame, width: float) -> None:
    rates, late = sheet.panels(2, 1, sharex=True, height_ratios=[2.6, 1])
    times = frame["t"].to_numpy()
    rates.plot(times, frame["acked"].to_numpy(), color=GREEN, linewidth=1.6)
    rates.plot(times, frame["started"].to_numpy(), color=BLUE, linewidth=1.8)
    rates.plot(times, frame["planned"].to_numpy(), color=GREY, linewidth=1.6, linestyle=(0, (2, 2)))
    late.bar(times, frame["late"].to_numpy(), width=width, color=VERMILLION, linewidth=0)
    count_axis(rates)
    count_axis(late, bins=2)
    rates.set_ylabel("messages a second")
    late.set_ylabel("late")
    time_axis(sheet, rates, evidence, label="")
    shade(late, evidence.bands)
    late.set_xlabel("seconds since the load began")

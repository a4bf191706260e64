"""Was the tester the bottleneck? If its loop stalled, it was the tester that was measured."""

import polars as pl

from reports.bands import time_axis
from reports.canvas import Sheet, duration_axis
from reports.chart import Chart, Key, Summary, chart
from reports.evidence import Evidence
from reports.figures import duration, plural, second
from reports.palette import BLUE, GREY

_ALARM_MS = 200.0


@chart(order=130, title="Generator health", audience="both")
def generator(evidence: Evidence, summary: Summary) -> Chart:
    """The longest stall of any generator's loop in each second."""
    told = evidence.samples("generator").filter(pl.col("loop_lag_ms").is_not_null())
    if told.height == 0:
        return Chart("No generator reported its loop lag, so its health is not known.")
    lag = told.group_by("t").agg(pl.col("loop_lag_ms").max()).sort("t")
    worst = told.row(int(told["loop_lag_ms"].arg_max() or 0), named=True)
    usual = float(lag.select(pl.col("loop_lag_ms").median()).item())
    stalls = lag.filter(pl.col("loop_lag_ms") > _ALARM_MS).height
    sentence = (
        f"{plural(told['process'].n_unique(), 'generator')}: the loop was at most {duration(usual)} late "
        f"in the median second and {duration(worst['loop_lag_ms'])} in the worst ({worst['process']}, "
        f"{second(worst['t'])}); {plural(stalls, 'second')} above {duration(_ALARM_MS)}."
    )
    keys = (Key("longest stall of the loop", BLUE), Key("alarm", GREY, "dash"))
    return Chart(sentence, lambda sheet: _draw(sheet, evidence, lag), keys, height=250, narrow_height=240)


def _draw(sheet: Sheet, evidence: Evidence, lag: pl.DataFrame) -> None:
    axes = sheet.axes()
    axes.axhline(_ALARM_MS, color=GREY, linewidth=1.5, linestyle=(0, (2, 2)))
    axes.plot(
        lag["t"].to_numpy(), lag["loop_lag_ms"].clip(lower_bound=0.1).to_numpy(), color=BLUE, linewidth=1.7
    )
    duration_axis(axes)
    axes.set_ylabel("loop lag")
    time_axis(sheet, axes, evidence)

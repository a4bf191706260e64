"""Every percentile at once: x = 1/(1−p), so that each further nine has the same room."""

import numpy as np
import polars as pl
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from reports.canvas import Sheet, duration_axis
from reports.chart import Chart, Key, Summary, chart
from reports.evidence import Evidence
from reports.figures import duration, exact
from reports.palette import BLUE, GREEN, RULE, VERMILLION
from reports.telling import Telling

_POINTS = 160


@chart(order=30, title="Latency by percentile", audience="planner", glance=6)
def spectrum(evidence: Evidence, summary: Summary) -> Chart:
    """Deliveries and acknowledgements from the planned send; deliveries planned outside every fault apart."""
    deliver = evidence.latencies_ms.to_numpy()
    if len(deliver) == 0:
        return Chart("Nothing was delivered, so there are no percentiles.")
    ack = evidence.sends.select(((pl.col("acked_ns") - pl.col("planned_ns")) / 1e6).drop_nulls().sort())
    curves = {"delivery": (deliver, BLUE), "acknowledgement": (ack.to_series().to_numpy(), GREEN)}
    quiet = _outside_faults(evidence)
    if evidence.bands and len(quiet):
        curves = {"delivery": (deliver, VERMILLION), "delivery, sent outside faults": (quiet, BLUE)} | {
            "acknowledgement": curves["acknowledgement"]
        }
    tell = Telling()
    median, p99, p999 = (
        tell(name, duration, _quantile(deliver, q))
        for name, q in (("p50_ms", 0.5), ("p99_ms", 0.99), ("p999_ms", 0.999))
    )
    sentence = (
        f"Of {tell('deliveries', exact, len(deliver))} deliveries half took at most {median}, 99 % {p99}, "
        f"99.9 % {p999}, the slowest {tell('max_ms', duration, float(deliver[-1]))}"
        + _calm(tell, quiet)
        + ". Counted from the planned send, so a stalled tester hides nothing."
    )
    keys = tuple(Key(name, colour) for name, (values, colour) in curves.items() if len(values))
    return Chart(
        sentence,
        lambda sheet: _draw(sheet, list(curves.values())),
        keys,
        height=330,
        narrow_height=280,
        figures=tell.figures,
        gist=f"Half within {median}, 99 % within {p99}.",
    )


def _calm(tell: Telling, quiet: np.ndarray) -> str:
    if len(quiet) == 0:
        return ""
    return (
        f"; sent outside faults, 99 % took at most {tell('quiet_p99_ms', duration, _quantile(quiet, 0.99))}"
    )


def _quantile(values: np.ndarray, q: float) -> float:
    """Of sorted values, the one that this share of them does not exceed: as summary.json has it."""
    return float(values[max(0, int(np.ceil(q * len(values))) - 1)])


def _outside_faults(evidence: Evidence) -> np.ndarray:
    if not evidence.bands:
        return np.array([])
    during = pl.any_horizontal(
        evidence.seconds("planned_ns").is_between(band.start_s, band.end_s) for band in evidence.bands
    )
    return evidence.first_deliveries.filter(~during)["latency_ms"].drop_nulls().sort().to_numpy()


def _draw(sheet: Sheet, curves: list[tuple[np.ndarray, str]]) -> None:
    axes = sheet.axes()
    most = max(len(values) for values, _ in curves)
    for values, colour in curves:
        if len(values) == 0:
            continue
        x = np.geomspace(1, max(len(values), 2), _POINTS)
        ranks = np.clip(np.ceil((1 - 1 / x) * len(values)).astype(int) - 1, 0, len(values) - 1)
        axes.plot(x, values[ranks], color=colour, linewidth=1.9)
    axes.set_xscale("log")
    nines = ["0 %", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %", "99.9999 %", "99.99999 %"]
    shown = [n for n in range(len(nines)) if 10**n <= most]
    step = 2 if sheet.narrow and len(shown) > 5 else 1
    axes.xaxis.set_major_locator(FixedLocator([10.0**n for n in shown[::step]]))
    axes.xaxis.set_major_formatter(FixedFormatter([nines[n] for n in shown[::step]]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.grid(axis="x", color=RULE, linewidth=1)
    duration_axis(axes)
    axes.set_xlim(1, max(most, 2))
    axes.set_xlabel("share of the deliveries that took at most so long")
    axes.set_ylabel("latency")

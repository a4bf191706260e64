"""What a connection costs: memory against connections with its slope, and CPU over time."""

import numpy as np
import polars as pl
from matplotlib.ticker import FuncFormatter

from reports.bands import shade
from reports.canvas import Sheet, count_axis, heading, points
from reports.chart import Chart, Key, Summary, chart
from reports.evidence import Evidence
from reports.figures import plural, size
from reports.palette import BLUE, GREEN, ORANGE

_ROLES = {"server": GREEN, "generator": BLUE, "proxy": ORANGE}
_FEWEST = 5


@chart(order=120, title="Memory and CPU", audience="planner")
def resources(evidence: Evidence, summary: Summary) -> Chart:
    """Resident memory of each role against open connections with the fitted line; processor cores in use."""
    held = evidence.totals("generator", "connections")
    told = {role: _of_role(evidence, role, held) for role in _ROLES}
    told = {role: frame for role, frame in told.items() if frame.height >= _FEWEST}
    if not told:
        return Chart("The processes left no samples of memory and CPU.")
    slopes = {role: _slope(frame) for role, frame in told.items()}
    parts = []
    for role, frame in told.items():
        peak, cores = frame.select(pl.col("rss_bytes", "cores").max()).row(0)
        cost = slopes[role]
        fitted = (
            f", {size(cost[0])} a connection on the way up"
            if cost
            else ", too few different counts of connections for a slope"
        )
        parts.append(f"{role}: at most {size(peak)}{fitted}, {cores:.2f} cores in the busiest second")
    processes = evidence.ledger.samples["process"].n_unique()
    sentence = f"{plural(processes, 'process', 'processes')}. " + "; ".join(parts) + "."
    keys = tuple(Key(role, _ROLES[role], "dot") for role in told)
    return Chart(
        sentence, lambda sheet: _draw(sheet, evidence, told, slopes), keys, height=290, narrow_height=470
    )


def _of_role(evidence: Evidence, role: str, held: pl.DataFrame) -> pl.DataFrame:
    return (
        evidence.totals(role, "rss_bytes", "cpu_s")
        .join(held, on="t")
        .with_columns(cores=(pl.col("cpu_s").diff() / pl.col("t").diff()).clip(lower_bound=0).fill_null(0))
    )


def _slope(frame: pl.DataFrame) -> tuple[float, float] | None:
    """Bytes a connection and bytes without any, on the way up to the most connections (what a process once
    took it seldom gives back); None below five different counts of connections."""
    frame = frame.head(int(frame["connections"].arg_max() or 0) + 1)
    if frame["connections"].n_unique() < _FEWEST:
        return None
    slope, base = np.polyfit(frame["connections"].to_numpy(), frame["rss_bytes"].to_numpy(), 1)
    return float(slope), float(base)


def _draw(
    sheet: Sheet,
    evidence: Evidence,
    told: dict[str, pl.DataFrame],
    slopes: dict[str, tuple[float, float] | None],
) -> None:
    memory, cpu = sheet.panels(2, 1) if sheet.narrow else sheet.panels(1, 2)
    heading(memory, "resident memory against open connections")
    heading(cpu, "processor cores over time")
    for role, frame in told.items():
        x = frame["connections"].to_numpy()
        points(memory, x, frame["rss_bytes"].to_numpy(), _ROLES[role], 4)
        if fitted := slopes[role]:
            ends = np.array([x.min(), x.max()])
            memory.plot(ends, fitted[0] * ends + fitted[1], color=_ROLES[role], linewidth=1.3)
        cpu.plot(frame["t"].to_numpy(), frame["cores"].to_numpy(), color=_ROLES[role], linewidth=1.7)
    most = max(float(frame["connections"].to_numpy().max()) for frame in told.values())
    memory.set_xlim(0, max(most, 10) * 1.04)
    memory.autoscale_view(scalex=False)
    memory.set_ylim(bottom=0)
    memory.yaxis.set_major_formatter(FuncFormatter(lambda value, _: size(value)))
    count_axis(memory, "x")
    cpu.set_ylim(bottom=0)
    cpu.set_xlim(*evidence.span_s)
    shade(cpu, evidence.bands)

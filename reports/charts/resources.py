"""What a connection costs: memory, of processes and of the kernel, and files; and CPU over time."""

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from reports.bands import shade
from reports.canvas import Sheet, count_axis, heading, points
from reports.chart import Chart, Key, Summary, chart
from reports.evidence import Evidence
from reports.figures import cores, exact, size
from reports.palette import BLUE, GREEN, ORANGE, PURPLE
from reports.telling import Telling

_ROLES = {"server": GREEN, "generator": BLUE, "proxy": ORANGE}
_KERNEL = "kernel"
_FEWEST = 5
_MOST_POINTS = 300
_LEAST_HEIGHT = 250
"""Of a sheet with room for all three panels."""

Line = tuple[float, float]
"""A slope and the value without connections."""


@chart(order=120, title="Memory, files and CPU", audience="planner", glance=5)
def resources(evidence: Evidence, summary: Summary) -> Chart:
    """Memory of each role and of the kernel's caches for sockets against open connections, with the fitted
    line; open files likewise; processor cores in use."""
    held = evidence.totals("generator", "connections")
    told = {role: _of_role(evidence, role, held) for role in _ROLES}
    told = {role: frame for role, frame in told.items() if frame.height >= _FEWEST}
    if not told:
        return Chart("The processes left no samples of memory and CPU.")
    memory = {role: frame.select("connections", "t", value="rss_bytes") for role, frame in told.items()}
    kernel = _kernel(evidence, held)
    if kernel.height >= _FEWEST:
        memory[_KERNEL] = kernel
    slopes = {role: _slope(frame) for role, frame in memory.items()}
    tell = Telling()
    parts = [_sentence(tell, role, frame, slopes[role]) for role, frame in told.items()]
    if _KERNEL in memory and (line := slopes[_KERNEL]):
        cost = tell("kernel.bytes_a_connection", size, line[0])
        parts.append(f"the kernel's caches for sockets: {cost} a connection, both ends if both are here")
    processes = evidence.ledger.samples["process"].n_unique()
    return Chart(
        f"{tell.plural('processes', processes, 'process', 'processes')}. " + "; ".join(parts) + ".",
        lambda sheet: _draw(sheet, evidence, told, memory, slopes),
        tuple(Key(role, _colour(role), "dot") for role in memory),
        height=300,
        narrow_height=700,
        figures=tell.figures,
        gist="; ".join(parts[:1]) + ".",
    )


def _sentence(tell: Telling, role: str, frame: pl.DataFrame, line: Line | None) -> str:
    peak, busiest, files = frame.select(pl.col("rss_bytes", "cores", "fds").max()).row(0)
    fitted = (
        f", {tell(f'{role}.bytes_a_connection', size, line[0])} a connection on the way up"
        if line
        else ", too few different counts of connections for a slope"
    )
    opened = f", {tell(f'{role}.files', exact, files)} files" if files else ""
    return (
        f"{role}: at most {tell(f'{role}.rss_bytes', size, peak)}{fitted}{opened}, "
        f"{tell(f'{role}.cores', cores, busiest)} cores in the busiest second"
    )


def _of_role(evidence: Evidence, role: str, held: pl.DataFrame) -> pl.DataFrame:
    return (
        evidence.totals(role, "rss_bytes", "cpu_s", "fds")
        .join(held, on="t")
        .with_columns(cores=(pl.col("cpu_s").diff() / pl.col("t").diff()).clip(lower_bound=0).fill_null(0))
    )


def _kernel(evidence: Evidence, held: pl.DataFrame) -> pl.DataFrame:
    """What the kernel's caches grew by since the first sample; nothing where they cannot be read."""
    told = evidence.samples("machine").filter(pl.col("kernel_bytes").is_not_null())
    if told.height == 0:
        return pl.DataFrame(schema={"connections": pl.Int64, "t": pl.Float64, "value": pl.Int64})
    frame = evidence.totals("machine", "kernel_bytes").join(held, on="t")
    return frame.select("connections", "t", value=pl.col("kernel_bytes") - pl.col("kernel_bytes").first())


def _slope(frame: pl.DataFrame) -> Line | None:
    """On the way up to the most connections (what a process once took it seldom gives back); None below five
    different counts of connections."""
    frame = frame.head(int(frame["connections"].arg_max() or 0) + 1)
    if frame["connections"].n_unique() < _FEWEST:
        return None
    slope, base = np.polyfit(frame["connections"].to_numpy(), frame["value"].to_numpy(), 1)
    return float(slope), float(base)


def _colour(role: str) -> str:
    return _ROLES.get(role, PURPLE)


def _draw(
    sheet: Sheet,
    evidence: Evidence,
    told: dict[str, pl.DataFrame],
    memory: dict[str, pl.DataFrame],
    slopes: dict[str, Line | None],
) -> None:
    if sheet.height < _LEAST_HEIGHT:
        panels = sheet.panels(1, 2)
    else:
        panels = sheet.panels(3, 1) if sheet.narrow else sheet.panels(1, 3)
    against, cpu, *files = panels
    heading(against, "memory against connections")
    heading(cpu, "processor cores over time")
    for axes in files:
        heading(axes, "open files against connections")
    most = max(float(frame["connections"].to_numpy().max()) for frame in told.values())
    for role, frame in memory.items():
        _cloud(against, frame, "value", _colour(role))
        if fitted := slopes[role]:
            ends = np.array([0, frame["connections"].to_numpy().max()])
            against.plot(ends, fitted[0] * ends + fitted[1], color=_colour(role), linewidth=1.3)
    for role, frame in told.items():
        thin = frame.gather_every(max(1, frame.height // _MOST_POINTS))
        cpu.plot(thin["t"].to_numpy(), thin["cores"].to_numpy(), color=_colour(role), linewidth=1.7)
        for axes in files:
            _cloud(axes, frame, "fds", _colour(role))
    for axes in (against, *files):
        axes.set_xlim(0, max(most, 10) * 1.04)
        axes.autoscale_view(scalex=False)
        axes.set_ylim(bottom=0)
        count_axis(axes, "x", bins=4)
    against.yaxis.set_major_formatter(FuncFormatter(lambda value, _: size(value)))
    for axes in files:
        count_axis(axes)
    cpu.set_ylim(bottom=0)
    cpu.set_xlim(*evidence.span_s)
    shade(cpu, evidence.bands)


def _cloud(axes: Axes, frame: pl.DataFrame, column: str, colour: str) -> None:
    thin = frame.gather_every(max(1, frame.height // _MOST_POINTS))
    points(axes, thin["connections"].to_numpy(), thin[column].to_numpy(), colour, 4)

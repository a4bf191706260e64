"""What the load costs: processor of server and swarm against frames, memory against connections."""

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from reports.canvas import Sheet, count_axis, heading
from reports.capacity.chart import chart
from reports.capacity.costs import Unit
from reports.capacity.observed import Side
from reports.capacity.sweep import Findings
from reports.chart import Chart, Key
from reports.figures import digits, size
from reports.palette import BLUE, GREEN
from reports.telling import Telling

_COLOURS = {"server": GREEN, "swarm": BLUE}


@chart(order=30, title="Processor and memory against load")
def spent(findings: Findings) -> Chart:
    """Each step as a point, for each side; the costs that the arithmetic below starts from."""
    costs = findings.costs
    sides = [
        name for name in _COLOURS if any(_side(seen, name).cores is not None for _, seen in findings.seen)
    ]
    if costs is None or not sides:
        return Chart("No step measured what its processes cost.")
    tell = Telling()
    parts = [_told(tell, name, getattr(costs, name)) for name in sides]
    return Chart(
        "; ".join(parts) + ".",
        lambda sheet: _draw(sheet, findings, sides),
        tuple(Key(name, _COLOURS[name], "dot") for name in sides),
        height=290,
        narrow_height=470,
        figures=tell.figures,
    )


def _side(seen: object, name: str) -> Side:
    side: Side = getattr(seen, name)
    return side


def _told(tell: Telling, name: str, unit: Unit) -> str:
    parts = []
    if unit.us_a_frame is not None:
        parts.append(f"{tell(f'{name}.us_a_frame', digits, unit.us_a_frame)} µs a frame")
    if unit.bytes_a_connection is not None:
        parts.append(f"{tell(f'{name}.bytes', size, unit.bytes_a_connection)} a connection")
    if unit.base_bytes is not None:
        parts.append(f"{tell(f'{name}.base_bytes', size, unit.base_bytes)} without any")
    return f"{name}: {', '.join(parts) or 'too little was measured'}"


def _draw(sheet: Sheet, findings: Findings, sides: list[str]) -> None:
    cpu, memory = sheet.panels(2, 1) if sheet.narrow else sheet.panels(1, 2)
    heading(cpu, "processor cores against frames a second")
    heading(memory, "resident memory against connections")
    for name in sides:
        for _, seen in findings.seen:
            side = _side(seen, name)
            if side.cores is not None:
                _dot(cpu, seen.frames_a_second, side.cores, name)
            if side.rss_bytes is not None:
                _dot(memory, seen.connections, side.rss_bytes, name)
    for axes in (cpu, memory):
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        count_axis(axes, "x")
    memory.yaxis.set_major_formatter(FuncFormatter(lambda value, _: size(value)))


def _dot(axes: Axes, x: float, y: float, name: str) -> None:
    axes.plot(x, y, "o", color=_COLOURS[name], markersize=7)

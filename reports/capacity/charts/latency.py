"""What users feel with more load: the 99 % quantile of deliveries and heartbeats at each step."""

from reports.canvas import Sheet, count_axis, duration_axis
from reports.capacity.chart import chart
from reports.capacity.sweep import Done, Findings
from reports.chart import Chart, Key
from reports.figures import duration
from reports.palette import BLUE, GREEN, VERMILLION
from reports.telling import Telling

_LINES = {"deliver_p99_ms": ("deliveries, p99", BLUE), "heartbeat_p99_ms": ("heartbeats, p99", GREEN)}


@chart(order=20, title="Latency against load")
def latency(findings: Findings) -> Chart:
    """A line each for deliveries and heartbeats; a cross where a step did not hold."""
    told = {name: [s for s in findings.sweep.steps if getattr(s, name)] for name in _LINES}
    told = {name: steps for name, steps in told.items() if steps}
    if not told:
        return Chart("No step measured a latency.")
    tell = Telling()
    parts = [_grown(tell, findings, name, steps) for name, steps in told.items()]
    keys = [Key(*_LINES[name]) for name in told]
    if any(not step.held for steps in told.values() for step in steps):
        keys.append(Key("a step that did not hold", VERMILLION, "cross"))
    return Chart(
        "; ".join(parts) + ".",
        lambda sheet: _draw(sheet, findings, told),
        tuple(keys),
        height=300,
        narrow_height=270,
        figures=tell.figures,
    )


def _grown(tell: Telling, findings: Findings, name: str, steps: list[Done]) -> str:
    first, last = steps[0], steps[-1]
    before = tell(f"{name}.first", duration, getattr(first, name))
    after = tell(f"{name}.last", duration, getattr(last, name))
    low = tell(f"{name}.from", findings.say_load, findings.load_of(first))
    high = tell(f"{name}.to", findings.say_load, findings.load_of(last))
    return f"{_LINES[name][0]}: {before} at {low} {findings.load_words}, {after} at {high}"


def _draw(sheet: Sheet, findings: Findings, told: dict[str, list[Done]]) -> None:
    axes = sheet.axes()
    for name, steps in told.items():
        x, y = [findings.load_of(step) for step in steps], [getattr(step, name) for step in steps]
        axes.plot(x, y, color=_LINES[name][1], linewidth=1.8, marker="o", markersize=6)
        for step, at, value in zip(steps, x, y, strict=True):
            if not step.held:
                axes.plot(at, value, "X", color=VERMILLION, markersize=10)
    axes.set_xlim(left=0)
    duration_axis(axes)
    count_axis(axes, "x")
    axes.set_xlabel(findings.load_words)
    axes.set_ylabel("latency")

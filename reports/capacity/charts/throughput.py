"""Where throughput ends: what each step carried, and the Universal Scalability Law fitted to it."""

from matplotlib.ticker import FuncFormatter

from reports.canvas import SMALL, Sheet, count_axis
from reports.capacity.chart import chart
from reports.capacity.sweep import Findings
from reports.capacity.usl import Fit
from reports.chart import Chart, Key
from reports.figures import count, digits, percent, rate
from reports.palette import BLUE, GREY, INK, ORANGE, VERMILLION
from reports.telling import Telling


@chart(order=10, title="Throughput against load, and where it ends")
def throughput(findings: Findings) -> Chart:
    """Frames a second of each step; the fitted law with the interval of its resamples; its knee."""
    if not findings.seen:
        return Chart("No step left anything to look at.")
    tell = Telling()
    most = max(seen.frames_a_second for _, seen in findings.seen)
    carried = (
        f"{tell.plural('steps', len(findings.seen), 'step')}; the most was {tell('most', rate, most)} frames "
        "a second: heartbeats, messages, deliveries, and the answer to each. "
    )
    withheld = findings.withheld(tell)
    fitted = None if withheld else findings.fitted
    law = _law(tell, findings, fitted) if fitted else f"The law of scaling is {withheld}."
    keys = [Key("a step that held", BLUE, "dot")]
    if any(not step.held for step, _ in findings.seen):
        keys.append(Key("a step that did not", VERMILLION, "cross"))
    if fitted:
        keys += [Key("fitted law", ORANGE), Key("95 % of resamples", ORANGE, "area")]
    if fitted and fitted.knee:
        keys.append(Key("knee", GREY, "dash"))
    return Chart(
        carried + law,
        lambda sheet: _draw(sheet, findings, fitted),
        tuple(keys),
        height=360,
        narrow_height=300,
        figures=tell.figures,
    )


def _law(tell: Telling, findings: Findings, fitted: Fit) -> str:
    words, say, found = findings.load_words, findings.say_load, fitted.parameters
    alpha, beta = tell("alpha", digits, found.alpha), tell("beta", digits, found.beta)
    text = (
        f"The law of scaling fits to within {tell('error', percent, fitted.error)}: γ = "
        f"{tell('gamma', digits, found.gamma)} frames a second for each, α = {alpha}, β = {beta}. "
    )
    low, high = fitted.knee_interval
    if fitted.knee is None:
        far = tell("knee_at_least", say, fitted.knee_at_least)
        text += f"There is no knee up to {far} {words}, beyond which nothing can be said. "
    else:
        above = f"to {tell('knee_high', say, high)}" if high is not None else "with no end in sight above"
        below = tell("knee_low", say, low) if low is not None else "somewhere"
        text += f"The knee is at {tell('knee', say, fitted.knee)} {words} (95 %: {below} {above}). "
    least, most = fitted.headroom_interval
    return text + (
        f"At the largest step {tell('headroom', percent, fitted.headroom)} of the most throughput is left "
        f"(95 %: {tell('headroom_low', percent, least)} to {tell('headroom_high', percent, most)})."
    )


def _draw(sheet: Sheet, findings: Findings, fitted: Fit | None) -> None:
    axes = sheet.axes()
    if fitted:
        axes.fill_between(fitted.loads, *fitted.band, color=ORANGE, alpha=0.2, linewidth=0)
        axes.plot(fitted.loads, fitted.curve, color=ORANGE, linewidth=1.8)
    if fitted and fitted.knee and fitted.knee <= fitted.loads[-1]:
        axes.axvline(fitted.knee, color=GREY, linewidth=1.5, linestyle=(0, (2, 2)))
        axes.annotate("knee", (fitted.knee, 0), (4, 4), textcoords="offset points", fontsize=SMALL, color=INK)
    for step, seen in findings.seen:
        shape, colour, size = ("o", BLUE, 7) if step.held else ("X", VERMILLION, 9)
        axes.plot(findings.load_of(step), seen.frames_a_second, shape, color=colour, markersize=size)
    axes.set_xlim(left=0)
    count_axis(axes)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: count(value)))
    axes.set_xlabel(findings.load_words)
    axes.set_ylabel("frames a second")

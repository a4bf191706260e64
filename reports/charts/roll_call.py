"""Every message accounted for: what was sent, and what became of it on each device."""

from collections.abc import Mapping

import numpy as np
from matplotlib.ticker import NullLocator

from reports.canvas import FONT_SIZE, SMALL, Sheet
from reports.chart import Chart, Summary, chart
from reports.evidence import Evidence
from reports.figures import exact, share
from reports.palette import GREEN, GREY, INK, MUTED, OUTCOME_COLOURS, RULE, VERMILLION
from reports.telling import Telling, figure

LEAD_HEIGHT = 300
_STEPS = ("sent", "acked", "expected", "due")
_FAILURES = ("lost", "duplicated", "altered", "unexpected", "missed")
_BEATS = ("due", "sent", "answered", "late", "missed")
_COLOURS = OUTCOME_COLOURS | {"answered": GREEN, "missed": VERMILLION}


@chart(order=10, title="Roll call", audience="both", lead=True)
def roll_call(evidence: Evidence, summary: Summary) -> Chart:
    """Sent → acknowledged → expected deliveries → outcomes, on a scale where one in a million shows."""
    figures = (summary.get("checks") or {}).get("completeness") or {}
    if not figures.get("sent"):
        return _of_heartbeats(summary.get("heartbeats") or {})
    expected = figures.get("expected", 0)
    good = sum(figures.get(name, 0) for name in ("ok", "recovered", "late"))
    bad = {name: figures[name] for name in _FAILURES if figures.get(name)}
    tell = Telling()
    shares = {name: figures[name] / expected for name in OUTCOME_COLOURS if figures.get(name) and expected}
    tell.note("shares", shares)

    def counted(name: str) -> str:
        return figure(f"checks.completeness.{name}", exact, figures.get(name, 0))

    sentence = (
        f"{counted('sent')} messages sent, {counted('acked')} acknowledged; of {counted('expected')} "
        f"expected deliveries {tell('good', exact, good)} ({tell.share('good_share', good, expected)}) "
        "are good. "
        + (", ".join(f"{counted(name)} {name}" for name in bad) + "." if bad else "Nothing failed.")
    )
    names = [*_STEPS[:3], *(name for name in OUTCOME_COLOURS if name in figures)]
    values = [int(figures.get(name, 0)) for name in names]
    return Chart(
        sentence,
        lambda sheet: _draw(sheet, names, values, expected),
        height=LEAD_HEIGHT,
        narrow_height=350,
        figures=tell.figures,
    )


def _of_heartbeats(beats: Mapping[str, int]) -> Chart:
    """Of a run without messages: who was called, and who answered."""
    if not beats.get("due"):
        return Chart("No message was sent, or the run left no roll call: there is nobody to call.")
    tell = Telling()
    due, sent, answered, late, missed = (
        figure(f"heartbeats.{name}", exact, beats.get(name, 0)) for name in _BEATS
    )
    tell.note("shares", {name: beats.get(name, 0) / beats["due"] for name in _BEATS})
    tell.note("heartbeats", dict(beats))
    return Chart(
        f"No message was sent. {due} heartbeats were due, {sent} sent and {answered} answered, {late} of "
        f"them late; {missed} missed.",
        lambda sheet: _draw(sheet, list(_BEATS), [beats.get(name, 0) for name in _BEATS], beats["due"]),
        height=200,
        narrow_height=200,
        figures=tell.figures,
    )


def _draw(sheet: Sheet, names: list[str], values: list[int], expected: int) -> None:
    axes = sheet.axes()
    gap = [0.0 if name in _STEPS else 0.55 for name in names]
    places = np.arange(len(names)) + np.array(gap)
    highest = np.log10(max(values) + 1)
    lengths = np.log10(np.array(values) + 1) / highest
    colours = [_COLOURS.get(name, GREY) for name in names]
    axes.barh(places, lengths, height=0.7, color=colours)
    for place, name, value, length in zip(places, names, values, lengths, strict=True):
        alarm = name in _FAILURES and value > 0
        text = exact(value) + (f" · {share(value, expected)}" if name not in _STEPS and value else "")
        axes.annotate(
            text,
            (length, place),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=SMALL,
            color=VERMILLION if alarm else INK if value else MUTED,
            fontweight="bold" if alarm else "normal",
        )
    labels = {"sent": "sent", "acked": "→ acknowledged", "expected": "→ expected deliveries"}
    axes.set_yticks(places, [labels.get(name, name) for name in names], fontsize=FONT_SIZE - 0.5, color=INK)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.42)
    axes.xaxis.set_major_locator(NullLocator())
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)
    axes.axhline(sum(name in _STEPS for name in names) - 0.23, color=RULE, linewidth=1)
    why = "" if sheet.narrow else ", so that one in a million still shows"
    axes.set_xlabel(f"logarithmic lengths{why}", loc="left")

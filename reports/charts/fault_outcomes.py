"""Which fault hurts: how deliveries were reached during each, and how long the run took to recover."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from reports.canvas import SMALL, Sheet, heading
from reports.chart import Chart, Key, Summary, chart
from reports.evidence import ROUTES, Evidence
from reports.figures import exact, second, share
from reports.palette import BLUE, GREEN, GREY, INK, MUTED, ROUTE_COLOURS, VERMILLION
from reports.recovery import INSTANT_REACH_S, Recovery, reach, recoveries
from reports.telling import Telling

_FATES = (*ROUTES, "missing", "undetermined")
_COLOURS = ROUTE_COLOURS | {"missing": VERMILLION, "undetermined": GREY}
_MOST = 10


@chart(order=60, title="Outcomes and recovery by fault", audience="QA")
def fault_outcomes(evidence: Evidence, summary: Summary) -> Chart:
    """Deliveries of what was planned during each fault, by route; then how long recovering took."""
    if not evidence.bands:
        return Chart("No fault was injected, so there is nothing to recover from.")
    if evidence.sends.height == 0:
        return Chart("No message was sent, so no fault met one.")
    table = _by_fault(evidence)
    recovered = [Recovery(None, None), *recoveries(evidence)]
    harmed = [(nth, row["fault"], row["missing"]) for nth, row in enumerate(table) if row["missing"]]
    tell = Telling()
    known = [
        (row["fault"], one.backlog_s)
        for row, one in zip(table, recovered, strict=True)
        if one.backlog_s is not None
    ]
    slowest = max(known, key=lambda pair: pair[1], default=None)
    never = len(evidence.bands) - len(known)
    instant = any(band.instant for band in evidence.bands)
    missing = (
        f"{tell(f'missing.{nth}', exact, count)} missing from sends during {name}"
        for nth, name, count in harmed
    )
    sentence = ", ".join(missing) or "No delivery is missing"
    if slowest:
        took = tell("slowest_backlog_s", second, slowest[1])
        sentence += f". Slowest to empty the backlog: {slowest[0]}, {took} after its end"
    if never:
        faults = tell.plural("never_empty", never, "fault")
        sentence += f"; after {faults} it was not empty before the next one or the end"
    sentence += "."
    if instant:
        reached = tell("instant_reach_s", second, INSTANT_REACH_S)
        sentence += f" A fault without length answers for the {reached} after it."
    table, recovered = table[: _MOST + 1], recovered[: _MOST + 1]
    tell.note("faults", [_noted(row, one) for row, one in zip(table, recovered, strict=True)])
    present = [fate for fate in _FATES if any(row[fate] for row in table)]
    keys = (
        *(Key(fate, _COLOURS[fate], "area") for fate in present),
        Key("until the backlog is empty", BLUE, "dot"),
        Key("until p99 is at its baseline", GREEN, "dot"),
    )
    rows = len(table)
    return Chart(
        sentence,
        lambda sheet: _draw(sheet, table, recovered),
        keys,
        height=95 + 34 * rows,
        narrow_height=150 + 62 * rows,
        figures=tell.figures,
    )


def _noted(row: dict[str, Any], recovery: Recovery) -> dict[str, Any]:
    total = sum(row[fate] for fate in _FATES)
    return {
        **row,
        "at_once_share": row["push"] / total if total else None,
        "backlog_s": recovery.backlog_s,
        "p99_s": recovery.p99_s,
    }


def _by_fault(evidence: Evidence) -> list[dict[str, Any]]:
    when = evidence.seconds("planned_ns")
    windows = [reach(band, nth, evidence.bands) for nth, band in enumerate(evidence.bands)]
    during = [when.is_between(*window) for window in windows]
    parts = [("no fault", ~pl.any_horizontal(during))]
    parts += [(band.label, inside) for band, inside in zip(evidence.bands, during, strict=True)]
    return [
        {"fault": name, **evidence.fates.filter(inside).select(pl.col(*_FATES).sum()).row(0, named=True)}
        for name, inside in parts
    ]


def _draw(sheet: Sheet, table: list[dict[str, Any]], recovered: list[Recovery]) -> None:
    if sheet.narrow:
        shares, times = sheet.panels(2, 1, sharey=True)
    else:
        shares, times = sheet.panels(1, 2, sharey=True, width_ratios=[1.5, 1])
    places = np.arange(len(table))
    _shares(shares, table, places)
    _times(times, recovered, places)
    for axes in (shares, times):
        axes.set_yticks(places, [str(row["fault"]) for row in table], fontsize=SMALL + 1, color=INK)
        axes.grid(axis="y", visible=False)
        axes.set_ylim(len(table) - 0.4, -0.6)


def _shares(axes: Axes, table: Sequence[dict[str, Any]], places: np.ndarray) -> None:
    heading(axes, "how deliveries were reached")
    counts = np.array([[int(row[fate]) for fate in _FATES] for row in table], dtype=float)
    totals = np.maximum(counts.sum(axis=1), 1)
    left = np.zeros(len(table))
    for nth, fate in enumerate(_FATES):
        part = counts[:, nth] / totals
        axes.barh(places, part, left=left, height=0.56, color=_COLOURS[fate], linewidth=0)
        left += part
    for place, row, total in zip(places, table, totals, strict=True):
        pushed = f"{share(int(row['push']), int(total))} at once"
        text, alarm = (f"{exact(int(row['missing']))} missing", True) if row["missing"] else (pushed, False)
        axes.annotate(
            text,
            (1, place),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=SMALL,
            color=VERMILLION if alarm else MUTED,
            fontweight="bold" if alarm else "normal",
            annotation_clip=False,
        )
    axes.set_xlim(0, 1.3)
    axes.set_xticks([0, 0.5, 1])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))


def _times(axes: Axes, recovered: Sequence[Recovery], places: np.ndarray) -> None:
    heading(axes, "recovery, seconds after the end")
    for offset, colour, values in (
        (-0.14, BLUE, [one.backlog_s for one in recovered]),
        (0.14, GREEN, [one.p99_s for one in recovered]),
    ):
        for place, value in zip(places[1:], values[1:], strict=True):
            if value is None:
                axes.annotate(
                    "not reached", (0, place + offset), fontsize=SMALL - 1, color=colour, va="center"
                )
                continue
            axes.plot([0, value], [place + offset] * 2, color=colour, linewidth=2)
            axes.plot([value], [place + offset], "o", color=colour, markersize=5)
            axes.annotate(
                second(value),
                (value, place + offset),
                xytext=(7, 0),
                textcoords="offset points",
                va="center",
                fontsize=SMALL - 0.5,
                color=INK,
            )
    axes.locator_params(axis="x", nbins=4)
    axes.margins(x=0.18)
    axes.set_xlim(left=0)

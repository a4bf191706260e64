"""The eight conversations that fared worst, message by message: witnesses that can be looked up."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from reports.bands import shade
from reports.canvas import SMALL, Sheet, points
from reports.chart import Chart, Key, Summary, chart
from reports.evidence import ROUTES, Evidence
from reports.figures import duration, exact
from reports.palette import GREY, INK, ROUTE_COLOURS, VERMILLION
from reports.telling import Telling

_MOST_DOTS = 220


@chart(order=70, title="Sequence against time: the worst conversations", audience="QA")
def sequences(evidence: Evidence, summary: Summary) -> Chart:
    """Conversations with deliveries missing first, then by their slowest delivery, at most eight."""
    worst = (
        evidence.fates.lazy()
        .filter(pl.col("conversation").is_not_null())
        .group_by("conversation")
        .agg(pl.col("missing").sum(), pl.col("worst_ms").max().fill_null(0), pl.len().alias("messages"))
        .sort(["missing", "worst_ms", "conversation"], descending=[True, True, False])
        .head(8)
        .join(evidence.ledger.conversations.lazy(), on="conversation", how="left", maintain_order="left")
        .collect()
    )
    if worst.height == 0:
        return Chart("No message belongs to a conversation, so there is none to show.")
    missing, first = int(worst["missing"].sum()), worst.row(0, named=True)
    tell = Telling()
    drawn = tell.plural("conversations", worst.height, "conversation")
    if missing:
        told = (
            f"{tell.plural('missing', missing, 'delivery', 'deliveries')} missing in the worst {drawn}; "
            f"{_name(first)} leads with {tell('most_missing', exact, first['missing'])}"
        )
    else:
        told = (
            f"No delivery is missing; of the {drawn} with the slowest ones {_name(first)} leads with "
            f"{tell('slowest_ms', duration, first['worst_ms'])}"
        )
    tell.note("names", [_name(row) for row in worst.iter_rows(named=True)])
    sentence = f"{told}. The line is the acknowledgement, a dot a delivery, a cross one that is missing."
    present = evidence.first_deliveries["route"].unique().to_list()
    keys = (
        Key("acknowledged", GREY),
        *(Key(route, ROUTE_COLOURS[route], "dot") for route in ROUTES if route in present),
        *((Key("missing", VERMILLION, "cross"),) if missing else ()),
    )
    panels = _panels(evidence, worst)
    rows = -(-worst.height // 4)
    return Chart(
        sentence,
        lambda sheet: _draw(sheet, evidence, panels),
        keys,
        height=60 + 165 * rows,
        narrow_height=40 + 140 * -(-worst.height // 2),
        figures=tell.figures,
    )


@dataclass(frozen=True, slots=True)
class _Panel:
    """One conversation: t and sequence of what was acknowledged, shown (with route) and is missing."""

    name: str
    acked: pl.DataFrame
    shown: pl.DataFrame
    missing: pl.DataFrame


def _panels(evidence: Evidence, worst: pl.DataFrame) -> list[_Panel]:
    few = pl.col("conversation").is_in(worst["conversation"].implode()) & pl.col("sequence").is_not_null()
    shown = evidence.first_deliveries.filter(few).with_columns(t=evidence.seconds("at_ns"))
    acked = (
        evidence.fates.filter(few & pl.col("acked_ns").is_not_null())
        .with_columns(t=evidence.seconds("acked_ns"))
        .sort("t", "sequence")
    )
    return [
        _Panel(
            _name(row),
            _thinned(acked.filter(pl.col("conversation") == row["conversation"])),
            _thinned(shown.filter(pl.col("conversation") == row["conversation"])),
            acked.filter((pl.col("conversation") == row["conversation"]) & (pl.col("missing") > 0)).head(50),
        )
        for row in worst.iter_rows(named=True)
    ]


def _thinned(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.gather_every(max(-(-frame.height // _MOST_DOTS), 1))


def _name(conversation: dict[str, Any]) -> str:
    name = str(conversation["name"] or f"conversation {conversation['conversation']}")
    return name if len(name) <= 20 else f"{name[:19]}…"


def _draw(sheet: Sheet, evidence: Evidence, panels: list[_Panel]) -> None:
    columns = 2 if sheet.narrow else 4
    places = sheet.panels(-(-len(panels) // columns), columns, sharex=True)
    for axes, panel in zip(places, panels, strict=False):
        axes.step(*_xy(panel.acked), where="post", color=GREY, linewidth=1.2)
        for route in ROUTES:
            points(axes, *_xy(panel.shown.filter(pl.col("route") == route)), ROUTE_COLOURS[route], 3.2)
        axes.plot(*_xy(panel.missing), "x", color=VERMILLION, markersize=9, markeredgewidth=2.4)
        axes.autoscale_view()
        axes.set_xlim(*evidence.span_s)
        low, high = axes.get_ylim()
        axes.set_ylim(min(low, 0.5), max(high, low + 2.5))
        axes.set_title(panel.name, loc="left", fontsize=SMALL, color=INK, pad=5)
        axes.locator_params(axis="y", nbins=4, integer=True)
        axes.locator_params(axis="x", nbins=4)
        shade(axes, evidence.bands)
    for axes in places[len(panels) :]:
        axes.set_axis_off()


def _xy(frame: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    return frame["t"].to_numpy(), frame["sequence"].to_numpy()

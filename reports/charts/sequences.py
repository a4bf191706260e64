"""The eight conversations that fared worst, message by message: witnesses that can be looked up."""

import polars as pl

from reports.bands import shade
from reports.canvas import SMALL, Sheet, points
from reports.chart import Chart, Key, Summary, chart
from reports.evidence import ROUTES, Evidence
from reports.figures import duration, plural
from reports.palette import GREY, INK, ROUTE_COLOURS, VERMILLION

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
    missing, slowest = int(worst["missing"].sum()), worst.row(0, named=True)
    sentence = (
        f"The worst {plural(worst.height, 'conversation')} by missing deliveries, then by the slowest: "
        f"{plural(missing, 'delivery', 'deliveries')} missing in them; {_name(slowest)} leads with "
        f"{plural(slowest['missing'], 'delivery', 'deliveries')} missing "
        f"and {duration(slowest['worst_ms'])} for its slowest. The line is the acknowledgement, "
        "a dot a delivery, a cross an acknowledged message that is missing on a device."
    )
    keys = (
        Key("acknowledged", GREY),
        *(Key(route, ROUTE_COLOURS[route], "dot") for route in ROUTES[:3]),
        Key("missing", VERMILLION, "cross"),
    )
    rows = -(-worst.height // 4)
    return Chart(
        sentence,
        lambda sheet: _draw(sheet, evidence, worst.to_dicts()),
        keys,
        height=60 + 165 * rows,
        narrow_height=40 + 140 * -(-worst.height // 2),
    )


def _name(conversation: dict[str, object]) -> str:
    name = str(conversation["name"] or f"conversation {conversation['conversation']}")
    return name if len(name) <= 20 else f"{name[:19]}…"


def _draw(sheet: Sheet, evidence: Evidence, worst: list[dict[str, object]]) -> None:
    columns = 2 if sheet.narrow else 4
    panels = sheet.panels(-(-len(worst) // columns), columns, sharex=True)
    for axes, conversation in zip(panels, worst, strict=False):
        mine = pl.col("conversation") == conversation["conversation"]
        acked = evidence.sends.filter(mine & pl.col("acked_ns").is_not_null()).sort("acked_ns")
        times = acked.select(evidence.seconds("acked_ns")).to_series().to_numpy()
        axes.step(times, acked["sequence"].to_numpy(), where="post", color=GREY, linewidth=1.2)
        shown = evidence.first_deliveries.filter(mine)
        shown = shown.gather_every(-(-shown.height // _MOST_DOTS) or 1)
        for route in ROUTES:
            part = shown.filter(pl.col("route") == route)
            at = part.select(evidence.seconds("at_ns")).to_series().to_numpy()
            points(axes, at, part["sequence"].to_numpy(), ROUTE_COLOURS[route], 3.2)
        gone = evidence.fates.filter(mine & (pl.col("missing") > 0) & pl.col("sequence").is_not_null())
        when = gone.select(evidence.seconds("acked_ns")).to_series().to_numpy()
        axes.plot(when, gone["sequence"].to_numpy(), "x", color=VERMILLION, markersize=9, markeredgewidth=2.4)
        axes.autoscale_view()
        axes.set_xlim(*evidence.span_s)
        axes.set_title(_name(conversation), loc="left", fontsize=SMALL, color=INK, pad=5)
        axes.locator_params(axis="y", nbins=4, integer=True)
        axes.locator_params(axis="x", nbins=4)
        shade(axes, evidence.bands)
    for axes in panels[len(worst) :]:
        axes.set_axis_off()

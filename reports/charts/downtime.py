"""How long devices were away after losing a connection they wanted, and how often they had to try."""

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from ledger.schema import CloseReason
from reports.canvas import SMALL, Sheet, count_axis, duration_axis, heading
from reports.chart import Chart, Key, Summary, chart
from reports.evidence import Evidence
from reports.figures import count, duration, exact
from reports.palette import BLUE, FAULT_HUES, INK
from reports.telling import Telling

_POINTS = 200


@chart(order=80, title="Reconnection: time away and attempts", audience="QA")
def downtime(evidence: Evidence, summary: Summary) -> Chart:
    """The share of lost connections that were back after so long, by reason of the loss."""
    lost = evidence.downtimes
    if lost.height == 0:
        return Chart("No connection was lost against the device's will, so nothing had to come back.")
    back = lost.filter(pl.col("login_ns").is_not_null()).with_columns(
        away_ms=(pl.col("login_ns") - pl.col("closed_ns")) / 1e6
    )
    never = lost.height - back.height
    tell = Telling()
    if back.height == 0:
        return Chart(
            f"All {tell.plural('lost', lost.height, 'lost connection')} stayed lost.", figures=tell.figures
        )
    median, p99, worst = (float(np.quantile(back["away_ms"].to_numpy(), q)) for q in (0.5, 0.99, 1.0))
    first = back.filter(pl.col("attempts").fill_null(1) <= 1).height
    sentence = (
        f"{tell.plural('lost', lost.height, 'connection')} lost: half were back within "
        f"{tell('p50_ms', duration, median)}, 99 % within {tell('p99_ms', duration, p99)}, the slowest after "
        f"{tell('max_ms', duration, worst)}; {tell('at_first_attempt', exact, first)} came back at the first "
        "attempt, " + (f"{tell('never', exact, never)} never came back." if never else "none stayed away.")
    )
    tries = back["attempts"].fill_null(1).clip(1, 8).value_counts().sort("attempts")
    tell.note("attempts", {str(attempts): count for attempts, count in tries.iter_rows()})
    reasons = back["reason"].value_counts().sort("count", descending=True)["reason"].to_list()
    colours = {reason: FAULT_HUES[nth % len(FAULT_HUES)] for nth, reason in enumerate(reasons)}
    keys = tuple(Key(f"lost by {_word(reason)}", colour) for reason, colour in colours.items())
    return Chart(
        sentence,
        lambda sheet: _draw(sheet, back, colours),
        keys,
        height=280,
        narrow_height=460,
        figures=tell.figures,
    )


def _word(reason: int | None) -> str:
    known = {int(one): one.name.lower().replace("_", " ") for one in CloseReason}
    return known.get(reason if reason is not None else -1, f"reason {reason}")


def _draw(sheet: Sheet, back: pl.DataFrame, colours: dict[int, str]) -> None:
    if sheet.narrow:
        ecdf, tries = sheet.panels(2, 1)
    else:
        ecdf, tries = sheet.panels(1, 2, width_ratios=[1.6, 1])
    heading(ecdf, "share back after so long")
    for reason, colour in colours.items():
        away = np.sort(back.filter(pl.col("reason") == reason)["away_ms"].to_numpy())
        shown = np.unique(np.linspace(0, len(away) - 1, _POINTS).astype(int))
        ecdf.step(away[shown], (shown + 1) / len(away), where="post", color=colour, linewidth=2)
    duration_axis(ecdf, "x")
    ecdf.set_ylim(0, 1.02)
    ecdf.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
    _attempts(tries, back)


def _attempts(axes: Axes, back: pl.DataFrame) -> None:
    heading(axes, "attempts needed")
    counted = back["attempts"].fill_null(1).clip(1, 8).value_counts().sort("attempts")
    bars = axes.bar(counted["attempts"].to_numpy(), counted["count"].to_numpy(), width=0.62, color=BLUE)
    axes.bar_label(bars, labels=[count(n) for n in counted["count"]], fontsize=SMALL, color=INK, padding=3)
    highest = max(int(counted["attempts"].max() or 1), 3)  # type: ignore[arg-type]
    axes.set_xticks(range(1, highest + 1), [f"{n}" if n < 8 else "8+" for n in range(1, highest + 1)])
    count_axis(axes)
    axes.margins(y=0.15)

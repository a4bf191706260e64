"""The table as a picture: what a connection and a heartbeat cost, and where the CPU of a message goes."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib

matplotlib.use("agg")  # isort: skip
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import NullFormatter, NullLocator

from bench.holding import BEAT_US, BYTES
from bench.row import Row, number
from reports.palette import BLUE, CARD, GREEN, GREY, INK, MUTED, ORANGE, PURPLE, RULE, VERMILLION

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bench.results import Measurement

_WIDTH_IN, _DPI = 8.0, 100
_ROW_IN, _HEAD_IN, _BAR_IN, _GROWTH_IN = 0.3, 0.75, 1.35, 2.6
_SIDES = {"swarm": "Clients: one process holds the connections", "server": "Servers: one process holds them"}
_PARTS = (BLUE, GREEN, ORANGE, VERMILLION, PURPLE)


def draw(measurement: "Measurement", path: Path) -> None:
    """A PNG that can be read at 800 pixels; nothing is written when nothing of it was measured."""
    sides = {
        name: [row for row in measurement.rows[name] if row.figures]
        for name in _SIDES
        if any(row.figures for row in measurement.rows.get(name, ()))
    }
    ways = [row for row in measurement.rows.get("messages", ()) if row.figures]
    sizes = [row for row in measurement.rows.get("growth", ()) if row.figures]
    heights = [_HEAD_IN + _ROW_IN * len(rows) for rows in sides.values()] + [_BAR_IN] * bool(ways)
    heights += [_GROWTH_IN] * bool(sizes)
    if not heights:
        return
    figure = Figure((_WIDTH_IN, sum(heights) + 0.5), facecolor=CARD, layout="constrained")
    parts = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    for part, (name, rows) in zip(parts, sides.items(), strict=False):
        part.set_facecolor(CARD)
        part.suptitle(_SIDES[name], x=0.01, ha="left", color=INK, fontsize=10, fontweight="bold")
        left, right = part.subplots(1, 2, sharey=True)
        _dots(left, rows, BYTES)
        _dots(right, rows, BEAT_US)
    if ways:
        parts[len(sides)].set_facecolor(CARD)
        _way(parts[len(sides)].subplots(), ways[0])
    if sizes:
        parts[-1].set_facecolor(CARD)
        _growth(parts[-1], sizes)
    figure.supxlabel(measurement.headline(), x=0.99, ha="right", color=MUTED, fontsize=6.5)
    figure.savefig(path, dpi=_DPI)


def _dots(axes: "Axes", rows: Sequence[Row], figure: str) -> None:
    values = [max(row.figures[figure], 1e-3) for row in rows]
    places = range(len(rows), 0, -1)
    low, high = min(values) / 2, max(values) * 8
    for place, row, value in zip(places, rows, values, strict=True):
        colour = GREY if row.peer or row.floor else BLUE
        axes.plot([low, value], [place, place], color=RULE, linewidth=1, zorder=1)
        axes.plot([value], [place], "o", color=colour, markersize=6, zorder=2)
        axes.annotate(
            number(value), (value, place), (7, 0), textcoords="offset points", va="center", color=colour,
            fontsize=8, fontweight="normal" if row.peer else "bold",
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(0.4, len(rows) + 0.6)
    axes.set_yticks(list(places), [row.what for row in rows], fontsize=8, color=INK)
    axes.set_title(f"{figure} (log scale)", fontsize=8, color=MUTED, loc="left")
    axes.xaxis.set_major_formatter(NullFormatter())
    axes.xaxis.set_minor_locator(NullLocator())
    _bare(axes)


def _way(axes: "Axes", row: Row) -> None:
    from bench.messages import MESSAGES, parts

    at = 0.0
    costs = parts(row)
    for colour, (part, cost) in zip(_PARTS, costs.items(), strict=False):
        axes.barh([0], [cost], left=at, color=colour, height=0.55)
        wide = cost > 0.08 * sum(costs.values())
        axes.text(
            at + cost / 2, 0 if wide else 0.42, f"{part}\n{cost:.0f}" if wide else f"{part} {cost:.0f}",
            ha="center", va="center" if wide else "bottom", color=CARD if wide else colour, fontsize=8,
        )  # fmt: skip
        at += cost
    axes.set_title(
        f"Messages: {row.figures[MESSAGES]:,.0f}/s durable and verified; CPU µs a message by part",
        fontsize=10, color=INK, loc="left", fontweight="bold",
    )  # fmt: skip
    axes.set_xlim(0, at)
    axes.set_ylim(-0.4, 0.75)
    axes.set_yticks([])
    _bare(axes)


def _growth(part: "SubFigure", rows: Sequence[Row]) -> None:
    from bench.growth import GENERATOR_BYTES, GENERATOR_US, PAIR_BYTES, SERVER_BYTES, SERVER_US

    part.suptitle(
        "How cost grows with the number of connections", x=0.01, ha="left", color=INK, fontsize=10,
        fontweight="bold",
    )  # fmt: skip
    names = [row.what.split()[0] for row in rows]
    panels = (
        [(GENERATOR_BYTES, BLUE, -12), (SERVER_BYTES, GREEN, 6)],
        [(PAIR_BYTES, GREY, 6)],
        [(GENERATOR_US, BLUE, 6), (SERVER_US, GREEN, -12)],
    )
    for axes, drawn in zip(part.subplots(1, 3), panels, strict=True):
        for figure, colour, label_pt in drawn:
            values = [row.figures[figure] for row in rows]
            axes.plot(names, values, "o-", color=colour, markersize=4, linewidth=1.6)
            for name, value in zip(names, values, strict=True):
                axes.annotate(
                    number(value), (name, value), (0, label_pt), textcoords="offset points", ha="center",
                    color=colour, fontsize=8,
                )  # fmt: skip
        axes.set_title(drawn[0][0].partition(": ")[2], fontsize=8, color=MUTED, loc="left")
        for label, (figure, colour, _) in zip((0.06, 0.16), drawn, strict=False):
            if len(drawn) > 1:
                axes.text(
                    0.02, label, figure.partition(":")[0], color=colour, fontsize=8, transform=axes.transAxes
                )
        axes.set_xlim(-0.4, len(names) - 0.6)
        axes.set_ylim(0, 1.2 * max(row.figures[figure] for row in rows for figure, _, _ in drawn))
        _bare(axes)


def _bare(axes: "Axes") -> None:
    axes.set_facecolor(CARD)
    axes.tick_params(length=0, labelsize=8, colors=INK)
    for spine in axes.spines.values():
        spine.set_visible(False)

"""One small chart a figure: a dot a run, the level between two steps, the steps marked."""

from itertools import pairwise

import numpy as np

from reports.canvas import SMALL, Sheet
from reports.history.trend import Trend
from reports.palette import BLUE, GREEN, INK, MUTED, VERMILLION


def draw(sheet: Sheet, trend: Trend) -> None:
    """On an empty sheet."""
    axes = sheet.axes()
    places = [place for place, value in enumerate(trend.values) if value is not None]
    known = trend.known
    edges = [-0.5, *(step.at - 0.5 for step in trend.steps), len(trend.values) - 0.5]
    for begin, end in pairwise(edges):
        part = [value for place, value in zip(places, known, strict=True) if begin < place < end]
        level = float(np.median(part))
        axes.fill_between([begin, end], level - trend.noise, level + trend.noise, color=MUTED, alpha=0.16,
                          linewidth=0)  # fmt: skip
        axes.plot([begin, end], [level, level], color=MUTED, linewidth=1.4)
    for step in trend.steps:
        colour = GREEN if step.better else VERMILLION
        axes.axvline(step.at - 0.5, color=colour, linewidth=1.6, linestyle=(0, (3, 2)))
    axes.plot(places, known, color=BLUE, linewidth=1, alpha=0.5)
    axes.plot(places, known, color=BLUE, linestyle="none", marker="o", markersize=4.5)
    if trend.unusual:
        axes.plot([places[-1]], [known[-1]], color=VERMILLION, linestyle="none", marker="D", markersize=7)
    low, high = min(known), max(known)
    room = (high - low) * 0.15 or abs(high) * 0.1 or 1.0
    axes.set_ylim(max(0.0, low - room) if low >= 0 else low - room, high + room)
    axes.set_xlim(-0.5, len(trend.values) - 0.5)
    ticks = sorted({low, high})
    axes.set_yticks(ticks, [trend.key.say(value) for value in ticks])
    axes.tick_params(axis="y", colors=INK, labelsize=SMALL)
    axes.set_xticks([0, len(trend.values) - 1] if len(trend.values) > 1 else [0])
    axes.set_xticklabels(["first", "last"][: len(axes.get_xticks())])

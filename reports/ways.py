"""Ways from somewhere to somewhere as bars, each with its name, its count and its share above it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import NullLocator

from reports.canvas import SMALL, Sheet
from reports.figures import exact, share
from reports.palette import INK
from reports.telling import Telling

ROW_HEIGHT, HEAD_HEIGHT = 42, 30


def height(rows: int) -> int:
    """Of a chart of so many bars, in pixels."""
    return HEAD_HEIGHT + ROW_HEIGHT * rows


def left_out(tell: Telling, rows: int, most: int) -> str:
    """What the sentence says of those beyond `most`, "" if there are none."""
    return f" {tell.plural('not_drawn', rows - most, 'rarer way')} not drawn." if rows > most else ""


def counted(names: Sequence[str], counts: Sequence[int], total: int) -> list[dict[str, Any]]:
    """What is drawn, for summary.json: way, count, share."""
    return [
        {"way": name, "count": count, "share": count / total}
        for name, count in zip(names, counts, strict=True)
    ]


def draw_ways(
    sheet: Sheet, names: Sequence[str], counts: Sequence[int], total: int, colours: Sequence[str]
) -> None:
    """One bar each, from above; `total` is what the shares are of."""
    axes = sheet.axes()
    places = np.arange(len(counts))
    axes.barh(places, np.asarray(counts), height=0.36, color=list(colours))
    for place, name, count in zip(places, names, counts, strict=True):
        axes.annotate(
            f"{name} · {exact(count)} · {share(count, total)}",
            (0, place - 0.25),
            xytext=(0, 2),
            textcoords="offset points",
            va="bottom",
            fontsize=SMALL,
            color=INK,
        )
    axes.set_ylim(len(counts) - 0.6, -0.85)
    axes.xaxis.set_major_locator(NullLocator())
    axes.yaxis.set_major_locator(NullLocator())
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)

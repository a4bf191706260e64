"""The sheet a chart is drawn on: matplotlib's objects without its global state, already styled."""

from math import log10
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from reports.figures import count, duration
from reports.palette import INK, MUTED, RULE

UNITS_PER_INCH = 72
FONT_SIZE = 12.0
SMALL = 10.5


class Sheet:
    """An empty figure of `width` × `height` units, one unit being one CSS pixel at natural size."""

    def __init__(self, width: float, height: float, narrow: bool) -> None:
        self.width = width
        self.height = height
        self.narrow = narrow
        self.figure = Figure(
            figsize=(width / UNITS_PER_INCH, height / UNITS_PER_INCH),
            dpi=UNITS_PER_INCH,
            layout="constrained",
            facecolor="none",
        )
        FigureCanvasSVG(self.figure)
        engine: Any = self.figure.get_layout_engine()
        engine.set(w_pad=0.06, h_pad=0.06, wspace=0.06, hspace=0.08)

    def axes(self) -> Axes:
        """One pair of axes that fills the sheet."""
        return plain(self.figure.subplots())

    def panels(self, rows: int, columns: int, **options: Any) -> list[Axes]:
        """Several, row by row."""
        return [plain(axes) for axes in self.figure.subplots(rows, columns, squeeze=False, **options).flat]


def plain(axes: Axes) -> Axes:
    """No frame, quiet horizontal grid, readable ticks."""
    axes.set_facecolor("none")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(MUTED)
    axes.grid(axis="y", color=RULE, linewidth=1)
    axes.set_axisbelow(True)
    axes.tick_params(colors=MUTED, labelsize=SMALL, length=0, pad=5)
    axes.tick_params(axis="x", length=4, width=1)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(MUTED)
        label.set_fontsize(SMALL)
    axes.title.set_color(INK)
    return axes


def heading(axes: Axes, text: str) -> None:
    """A small title at the left, for one of several panels."""
    axes.set_title(text, loc="left", fontsize=SMALL + 0.5, color=INK, pad=7)


def count_axis(axes: Axes, which: str = "y", bins: int = 5) -> None:
    """Whole numbers from 0, with thousands shortened."""
    axis = axes.yaxis if which == "y" else axes.xaxis
    axis.set_major_locator(MaxNLocator(bins, integer=True))
    axis.set_major_formatter(FuncFormatter(lambda value, _: count(value)))
    if which == "y":
        axes.set_ylim(bottom=0)


def duration_axis(axes: Axes, which: str = "y") -> None:
    """Logarithmic milliseconds, said in the unit that fits; call it once the data is drawn."""
    axis = axes.yaxis if which == "y" else axes.xaxis
    (axes.set_yscale if which == "y" else axes.set_xscale)("log")
    low, high = axes.get_ylim() if which == "y" else axes.get_xlim()
    decades = log10(high / low) if low > 0 else 9
    subs = (1.0, 2.0, 5.0) if decades < 2 else (1.0, 3.0) if decades < 2.6 else (1.0,)
    axis.set_major_locator(LogLocator(10, subs=subs, numticks=9))
    axis.set_minor_formatter(NullFormatter())
    axis.set_major_formatter(FuncFormatter(lambda value, _: duration(value)))
    axes.tick_params(axis="both", which="minor", length=0)


def points(axes: Axes, x: Any, y: Any, colour: str, size: float = 2.6) -> None:
    """A cloud as one path of dots, a tenth of the bytes of a marker each."""
    if len(x) == 0:
        return
    vertices = [vertex for at in zip(x, y, strict=True) for vertex in (at, at)]
    outline = Outline(vertices, [Outline.MOVETO, Outline.LINETO] * len(x))
    outline.should_simplify = False
    axes.add_patch(
        PathPatch(
            outline,
            facecolor="none",
            edgecolor=colour,
            linewidth=size,
            capstyle="round",
            alpha=0.75,
            snap=False,
        )
    )
    axes.update_datalim(vertices)

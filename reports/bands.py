"""Faults on a time axis: shaded, named above the axes, in the same colour everywhere."""

from matplotlib.axes import Axes

from reports.canvas import SMALL, Sheet
from reports.evidence import Band, Evidence

_CHARACTER = 6.1
_ROW = 13.0
_MOST_ROWS = 3


def time_axis(
    sheet: Sheet, axes: Axes, evidence: Evidence, label: str = "seconds since the load began"
) -> None:
    """`axes` runs over the whole run, with the faults shaded and named."""
    axes.set_xlim(*evidence.span_s)
    axes.set_xlabel(label)
    shade(axes, evidence.bands)
    name(sheet, axes, evidence)


def shade(axes: Axes, bands: tuple[Band, ...]) -> None:
    """The bands behind the data; what has no length becomes a line."""
    for band in bands:
        if band.instant:
            axes.axvline(band.start_s, color=band.colour, linewidth=2, alpha=0.8, zorder=0.6)
        else:
            axes.axvspan(band.start_s, band.end_s, facecolor=band.colour, alpha=0.17, linewidth=0, zorder=0.5)


def name(sheet: Sheet, axes: Axes, evidence: Evidence) -> None:
    """Labels over the bands in as many rows as they need; numbers where names would need too many."""
    low, high = evidence.span_s
    units_per_s = (sheet.width - 80) / (high - low)
    labels = [band.label for band in evidence.bands]
    rows = _rows(evidence.bands, labels, units_per_s, low)
    if max(rows, default=0) >= _MOST_ROWS:
        labels = [str(nth) for nth in range(1, len(labels) + 1)]
        rows = [row % _MOST_ROWS for row in _rows(evidence.bands, labels, units_per_s, low)]
    for band, text, row in zip(evidence.bands, labels, rows, strict=True):
        axes.annotate(
            text,
            (max(band.start_s, low), 1.0),
            xycoords=axes.get_xaxis_transform(),
            xytext=(0, 4 + row * _ROW),
            textcoords="offset points",
            fontsize=SMALL,
            color=band.colour,
            fontweight="bold",
            annotation_clip=False,
        )


def _rows(bands: tuple[Band, ...], labels: list[str], units_per_s: float, low: float) -> list[int]:
    ends: list[float] = []
    rows = []
    for band, text in zip(bands, labels, strict=True):
        start = (max(band.start_s, low) - low) * units_per_s
        row = next((row for row, end in enumerate(ends) if end <= start), len(ends))
        ends[row : row + 1] = [start + len(text) * _CHARACTER + 6]
        rows.append(row)
    return rows

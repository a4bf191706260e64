"""What it costs: memory, CPU and bytes, a panel each, a bar a side."""

from collections.abc import Sequence

from reports.canvas import SMALL, Sheet, heading
from reports.chart import Chart
from reports.compare.chart import chart, colour_of, keys
from reports.compare.comparison import Comparison, Row
from reports.palette import INK

_GROUPS = ("memory", "CPU", "wire")
_MOST = 9


@chart(order=50, title="What it costs")
def costs(comparison: Comparison) -> Chart:
    """Figures of memory, CPU and wire that two sides or more have."""
    rows = [
        row
        for row in comparison.rows
        if row.figure.group in _GROUPS and sum(bool(value) for value in row.values) > 1
    ]
    rows = [row for row in rows if "payload" not in row.figure.title][:_MOST]
    if not rows:
        return Chart("The sides have no cost in common.")
    told = "; ".join(
        f"{row.figure.title} {' against '.join(row.figure.say(value) for value in row.values if value)}"
        for row in (rows[0], rows[-1])
    )
    panel = 44 + 22 * len(comparison.sides)
    return Chart(
        f"{told[:1].upper()}{told[1:]}.",
        lambda sheet: _draw(sheet, rows),
        keys(comparison.sides, "area"),
        height=30 + panel * -(-len(rows) // 2),
        narrow_height=30 + panel * len(rows),
    )


def _draw(sheet: Sheet, rows: Sequence[Row]) -> None:
    columns = 1 if sheet.narrow else 2
    panels = sheet.panels(-(-len(rows) // columns), columns)
    for axes in panels[len(rows) :]:
        axes.set_visible(False)
    for axes, row in zip(panels, rows, strict=False):
        heading(axes, row.figure.title)
        most = max(value or 0.0 for value in row.values)
        for place, value in enumerate(row.values):
            axes.barh(place, value or 0.0, 0.72, color=colour_of(place))
            text = "–" if value is None else row.figure.say(value)
            axes.text((value or 0.0) + most * 0.02, place, text, va="center", fontsize=SMALL, color=INK)
        axes.invert_yaxis()
        axes.set_xlim(0, most * 1.3)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines["bottom"].set_visible(False)
        axes.grid(visible=False)

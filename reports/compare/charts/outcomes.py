"""What was not plain: deliveries that came late, again, or not at all, as shares of those expected."""

from reports.canvas import SMALL, Sheet
from reports.chart import Chart
from reports.compare.chart import chart, colour_of, keys
from reports.compare.comparison import Comparison
from reports.figures import share
from reports.palette import INK

_OUTCOMES = ("recovered", "late", "lost", "duplicated", "altered", "unexpected", "undetermined")


@chart(order=40, title="Completeness: what was not plain")
def outcomes(comparison: Comparison) -> Chart:
    """A group of bars an outcome, a bar a side."""
    shares = [_shares(comparison, place) for place in range(len(comparison.sides))]
    shown = [outcome for outcome in _OUTCOMES if any(side.get(outcome) for side in shares)]
    expected = [_sum(comparison, place, "expected") for place in range(len(comparison.sides))]
    if not any(expected):
        return Chart("No side expected a delivery, so there is nothing to be complete.")
    told = ", ".join(
        f"{side.label} {share(_sum(comparison, place, 'ok'), expected[place])} of {expected[place]:,.0f}"
        for place, side in enumerate(comparison.sides)
    )
    if not shown:
        return Chart(f"Plainly delivered, once and in time: {told}; nothing was late, lost or repeated.")
    height = 90 + 22 * len(shown) * max(2, len(comparison.sides))
    return Chart(
        f"Plainly delivered, once and in time: {told}.",
        lambda sheet: _draw(sheet, shown, shares),
        keys(comparison.sides, "area"),
        height=height,
        narrow_height=height,
    )


def _sum(comparison: Comparison, place: int, outcome: str) -> float:
    runs = comparison.sides[place].runs
    return sum(run.at(f"checks.completeness.{outcome}") or 0.0 for run in runs)


def _shares(comparison: Comparison, place: int) -> dict[str, float]:
    expected = _sum(comparison, place, "expected")
    return {outcome: _sum(comparison, place, outcome) / expected for outcome in _OUTCOMES} if expected else {}


def _draw(sheet: Sheet, shown: list[str], shares: list[dict[str, float]]) -> None:
    axes = sheet.axes()
    thick = 0.8 / len(shares)
    most = max(side.get(outcome, 0.0) for side in shares for outcome in shown)
    for row, outcome in enumerate(shown):
        for place, side in enumerate(shares):
            y = row + (place - (len(shares) - 1) / 2) * thick
            value = side.get(outcome, 0.0)
            axes.barh(y, value, thick * 0.86, color=colour_of(place))
            axes.text(value + most * 0.015, y, share(value, 1.0) if value else "0", va="center",
                      fontsize=SMALL - 1, color=INK)  # fmt: skip
    axes.set_yticks(range(len(shown)), shown)
    axes.tick_params(axis="y", colors=INK)
    axes.invert_yaxis()
    axes.set_xlim(0, most * (1.35 if sheet.narrow else 1.15))
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.grid(visible=False)

"""Every judged figure at once: how far it moved, and the interval in which the change lies."""

from reports.canvas import SMALL, Sheet
from reports.chart import Chart
from reports.compare.chart import chart, colour_of, keys
from reports.compare.comparison import Comparison, signed
from reports.compare.figure import Better
from reports.compare.noise import Change, Kind
from reports.palette import GREEN, GREY, INK, MUTED, VERMILLION

_ROW, _AROUND = 19, 70
_WIDEST = 1.5
_JUDGED = {Kind.WORSE: VERMILLION, Kind.BETTER: GREEN, Kind.NOISE: GREY}


@chart(order=10, title="What moved, and how sure that is")
def changes(comparison: Comparison) -> Chart:
    """Relative changes with their 99 % intervals; those beyond an edge end at it."""
    rows = [
        row
        for row in comparison.rows
        if row.figure.better in (Better.LOWER, Better.HIGHER)
        and any(one.relative is not None for one in row.changes)
    ]
    if not rows:
        return Chart("The sides have no judged figure in common.")
    found = [one for row in rows for one in row.changes if one.relative is not None]
    counts = {kind: sum(one.kind is kind for one in found) for kind in (Kind.WORSE, Kind.BETTER, Kind.NOISE)}
    largest = max(found, key=lambda one: abs(one.relative or 0.0))
    most = f"what moved most is {largest.figure.title} ({signed(largest.relative or 0.0)})."
    if any(comparison.judged):
        worse, better = counts[Kind.WORSE], counts[Kind.BETTER]
        told = f"{worse} are worse beyond noise, {better} better, {counts[Kind.NOISE]} within it"
    else:
        told = f"{counts[Kind.NOISE]} are alike within noise"
    sentence = f"Of {len(found)} figures {told}; {most}"
    height = _AROUND + _ROW * len(rows) * max(1, (len(comparison.sides) - 1) * 3 // 4)
    several = len(comparison.sides) > 2
    legend = keys(comparison.sides, "dot")[1:] if several else ()
    titles = [row.figure.title for row in rows]
    return Chart(
        sentence,
        lambda sheet: _draw(sheet, titles, [list(row.changes) for row in rows], several),
        legend,
        height=height,
        narrow_height=height,
    )


def _draw(sheet: Sheet, titles: list[str], found: list[list[Change]], several: bool) -> None:
    axes = sheet.axes()
    axes.axvline(0, color=MUTED, linewidth=1.2)
    for row, of_sides in enumerate(found):
        for nth, one in enumerate(of_sides):
            around = one.relative_interval()
            if one.relative is None or around is None:
                continue
            y = row + (nth - (len(of_sides) - 1) / 2) * 0.8 / len(of_sides)
            colour = colour_of(nth + 1) if several else _JUDGED.get(one.kind, GREY)
            low, middle, high = (_kept(value) for value in (around[0], one.relative, around[1]))
            axes.plot([low, high], [y, y], color=colour, linewidth=2, alpha=0.55, solid_capstyle="butt")
            axes.plot([middle], [y], marker="o", color=colour, markersize=5, clip_on=False)
    axes.set_ylim(len(found) - 0.4, -0.6)
    axes.set_xlim(-_WIDEST * 0.7, _WIDEST)
    axes.set_yticks(range(len(titles)), [_short(title) if sheet.narrow else title for title in titles])
    axes.tick_params(axis="y", colors=INK, labelsize=SMALL - (1.5 if sheet.narrow else 0))
    marks = (-1.0, 0.0, 1.0) if sheet.narrow else (-1.0, -0.5, 0.0, 0.5, 1.0, 1.5)
    axes.set_xticks(marks, [signed(mark) if mark else "0" for mark in marks])
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("change from the first side")


def _kept(share: float) -> float:
    return min(max(share, -_WIDEST * 0.7), _WIDEST)


def _short(title: str) -> str:
    head, comma, side = title.rpartition(", ")
    if comma:
        return title if len(title) <= 22 else f"{head[: 18 - len(side)]}…, {side}"
    return title if len(title) <= 22 else f"{title[:21]}…"

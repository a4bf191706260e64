"""What a chart with every side in it is, and how all of them are found."""

from collections.abc import Callable

from reports.catalogue import Catalogue, Listed
from reports.chart import Chart, Key
from reports.compare.comparison import Comparison
from reports.compare.run import Side
from reports.palette import BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILLION

SIDE_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, VERMILLION, GREY)
"""By the order of the sides; then round again."""

Make = Callable[[Comparison], Chart]


Registered = Listed[Make]

_charts: Catalogue[Make] = Catalogue("reports.compare.charts")
chart, all_charts = _charts.chart, _charts.all_charts


def colour_of(place: int) -> str:
    """Of the side at that place."""
    return SIDE_COLOURS[place % len(SIDE_COLOURS)]


def keys(sides: tuple[Side, ...], shape: str = "line") -> tuple[Key, ...]:
    """A legend of the sides."""
    return tuple(Key(side.label, colour_of(place), shape) for place, side in enumerate(sides))

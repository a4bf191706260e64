"""What a chart with every side in it is, and how all of them are found."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

from reports.chart import Chart, Key
from reports.compare.comparison import Comparison
from reports.compare.run import Side
from reports.palette import BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILLION

SIDE_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, VERMILLION, GREY)
"""By the order of the sides; then round again."""

Make = Callable[[Comparison], Chart]


@dataclass(frozen=True, slots=True)
class Registered:
    """A chart function and where its chart belongs."""

    name: str
    order: int
    title: str
    make: Make
    audience: str = "both"

    @property
    def anchor(self) -> str:
        return self.name.replace("_", "-")


_found: dict[str, Registered] = {}


def chart(*, order: int, title: str) -> Callable[[Make], Make]:
    """The decorated `function(comparison) -> Chart` is in every comparison from now on."""

    def register(make: Make) -> Make:
        _found[make.__name__] = Registered(make.__name__, order, title, make)
        return make

    return register


def all_charts() -> list[Registered]:
    """Every chart there is, in order."""
    package = importlib.import_module("reports.compare.charts")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return sorted(_found.values(), key=lambda registered: (registered.order, registered.name))


def colour_of(place: int) -> str:
    """Of the side at that place."""
    return SIDE_COLOURS[place % len(SIDE_COLOURS)]


def keys(sides: tuple[Side, ...], shape: str = "line") -> tuple[Key, ...]:
    """A legend of the sides."""
    return tuple(Key(side.label, colour_of(place), shape) for place, side in enumerate(sides))

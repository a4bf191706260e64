"""What a figure of a comparison is, and how all of them are found: every module of `figures` is read once."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from reports.compare.run import Run

Say = Callable[[float], str]


class Better(StrEnum):
    """Which way is an improvement. `NEITHER`: it is shown and not judged. `NEVER`: it has to be nothing, and
    any more than before is worse."""

    LOWER = "lower"
    HIGHER = "higher"
    NEITHER = "neither"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure of one run. `draws`: the same from its seconds drawn again, None where that cannot be done."""

    value: float
    draws: np.ndarray | None = None

    @classmethod
    def near(cls, value: float, draws: np.ndarray) -> "Measured":
        """`draws` moved to lie around a value that is known more exactly than from their seconds."""
        known = draws[np.isfinite(draws)]
        middle = float(np.median(known)) if len(known) else 0.0
        if len(known) < len(draws) // 2 or middle <= 0:
            return cls(value)
        return cls(value, known * (value / middle))


@dataclass(frozen=True, slots=True)
class Figure:
    """`say`: how its value is told, in its unit. `floor`: a difference below it is never a change.
    `noise`: by which share of itself it usually differs between two runs of the same (standard deviation),
    as seen on a machine that did nothing else; counts until there are enough repeated runs to know better.
    """

    name: str
    order: int
    group: str
    title: str
    say: Say
    better: Better
    measure: Callable[[Run], Measured | None]
    floor: float = 0.0
    noise: float = 0.1


_found: dict[str, Figure] = {}


def register(figure: Figure) -> None:
    """The figure is in every comparison from now on, at its place in `order`."""
    _found[figure.name] = figure


def all_figures() -> list[Figure]:
    """Every figure there is, in order."""
    package = importlib.import_module("reports.compare.figures")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return sorted(_found.values(), key=lambda figure: (figure.order, figure.name))

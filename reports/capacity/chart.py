"""What a chart of a sweep is, and how all of them are found."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

from reports.capacity.sweep import Findings
from reports.chart import Chart

Make = Callable[[Findings], Chart]


@dataclass(frozen=True, slots=True)
class Registered:
    """A chart function and where its chart belongs."""

    name: str
    order: int
    title: str
    make: Make
    audience: str = "both"

    @property
    def place(self) -> str:
        """Where sweep.json has its figures."""
        return f"figures.{self.name}"

    @property
    def anchor(self) -> str:
        return self.name.replace("_", "-")


_found: dict[str, Registered] = {}


def chart(*, order: int, title: str) -> Callable[[Make], Make]:
    """The decorated `function(findings) -> Chart` is in the page of every sweep from now on."""

    def register(make: Make) -> Make:
        _found[make.__name__] = Registered(make.__name__, order, title, make)
        return make

    return register


def all_charts() -> list[Registered]:
    """Every chart there is, in order."""
    package = importlib.import_module("reports.capacity.charts")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return sorted(_found.values(), key=lambda registered: (registered.order, registered.name))

"""What a chart is, and how all of them are found: every module of `reports.charts` is read once."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import reports.charts
from reports.canvas import Sheet
from reports.evidence import Evidence

Summary = Mapping[str, Any]
"""summary.json as it was read; empty if the run ended before it was written."""

Audience = Literal["both", "QA", "planner", "CI"]


@dataclass(frozen=True, slots=True)
class Key:
    """One entry of a legend. `shape`: line, dash, dot, cross or area."""

    label: str
    colour: str
    shape: str = "line"


@dataclass(frozen=True, slots=True)
class Chart:
    """`sentence`: what the chart shows in this run, in numbers, each marked (reports/telling.py). `draw`:
    puts it on an empty sheet, wide or narrow; None if there is nothing to show, and then the sentence says
    why. Heights are in units. `figures`: the marked numbers and those that are drawn as numbers, as
    summary.json has them at figures.<name of the chart>. `gist`: the sentence in a few words, for the first
    screen."""

    sentence: str
    draw: Callable[[Sheet], None] | None = None
    keys: tuple[Key, ...] = ()
    height: int = 290
    narrow_height: int = 260
    figures: Mapping[str, Any] = field(default_factory=dict)
    gist: str = ""


@dataclass(frozen=True, slots=True)
class Registered:
    """A chart function and where its chart belongs."""

    name: str
    order: int
    title: str
    audience: Audience
    make: Callable[[Evidence, Summary], Chart]
    lead: bool = False
    glance: int | None = None

    @property
    def place(self) -> str:
        """Where summary.json has its figures."""
        return f"figures.{self.name}"

    @property
    def anchor(self) -> str:
        return self.name.replace("_", "-")


_found: dict[str, Registered] = {}


def chart(
    *, order: int, title: str, audience: Audience, lead: bool = False, glance: int | None = None
) -> Callable[[Callable[[Evidence, Summary], Chart]], Callable[[Evidence, Summary], Chart]]:
    """The decorated `function(evidence, summary) -> Chart` is in every report from now on, at its place in
    `order`. `lead`: beside the verdict on the first screen. `glance`: the first three of those that have one,
    by that number, and have something to show, stand small on the first screen as well."""

    def register(make: Callable[[Evidence, Summary], Chart]) -> Callable[[Evidence, Summary], Chart]:
        name = make.__name__
        _found[name] = Registered(name, order, title, audience, make, lead, glance)
        return make

    return register


def all_charts() -> list[Registered]:
    """Every chart there is, in order."""
    for module in pkgutil.iter_modules(reports.charts.__path__):
        importlib.import_module(f"reports.charts.{module.name}")
    return sorted(_found.values(), key=lambda registered: (registered.order, registered.name))

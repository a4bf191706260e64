"""The charts of a page of its own, one file each, found when the page is made."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from reports.chart import Chart

Make = TypeVar("Make", bound=Callable[..., Chart])


@dataclass(frozen=True, slots=True)
class Listed(Generic[Make]):
    """A chart function and where its chart belongs."""

    name: str
    order: int
    title: str
    make: Make
    audience: str = "both"

    @property
    def place(self) -> str:
        """Where the figures of the page are kept."""
        return f"figures.{self.name}"

    @property
    def anchor(self) -> str:
        return self.name.replace("_", "-")


class Catalogue(Generic[Make]):
    """The charts whose modules are in `package`."""

    def __init__(self, package: str) -> None:
        self._package = package
        self._found: dict[str, Listed[Make]] = {}

    def chart(self, *, order: int, title: str) -> Callable[[Make], Make]:
        """The decorated function's chart is in the page from now on."""

        def register(make: Make) -> Make:
            self._found[make.__name__] = Listed(make.__name__, order, title, make)
            return make

        return register

    def all_charts(self) -> list[Listed[Make]]:
        """Every chart there is, in order."""
        package = importlib.import_module(self._package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{package.__name__}.{module.name}")
        return sorted(self._found.values(), key=lambda listed: (listed.order, listed.name))

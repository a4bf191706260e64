"""Toxics, one file each, found by looking: a new file here is a new toxic of the API.

A file defines a frozen dataclass whose fields are the attributes of the API (with their zero values), and a
Stage registered with `@toxic`. `check()` on the dataclass, if there is one, raises ValueError for values that
make no sense; the API answers those with 400.
"""

import functools
import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from chaos.stage import AnyStage

S = TypeVar("S", bound=type[AnyStage])


@dataclass(frozen=True, slots=True)
class ToxicType:
    """A kind of toxic. `go_struct` and `go_int` are names that the original's error texts contain."""

    name: str
    attributes: type[Any]
    stage: type[AnyStage]
    go_struct: str
    go_int: str


_registered: dict[str, ToxicType] = {}


def toxic(name: str, attributes: type[Any], *, go_struct: str, go_int: str = "int64") -> Callable[[S], S]:
    """Register a Stage as the toxic `name` with these attributes."""

    def register(stage: S) -> S:
        _registered[name] = ToxicType(name, attributes, stage, go_struct, go_int)
        return stage

    return register


@functools.cache
def toxic_types() -> dict[str, ToxicType]:
    """All toxics by name."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return dict(sorted(_registered.items()))

"""Which dialects there are: those that come with Chatproof, those of installed packages, and those named.

A package of yours declares its own in its pyproject.toml, and nothing of Chatproof's changes:

    [project.entry-points."chatproof.dialects"]
    irc = "my_package.irc:DIALECT"

One that is no package is named: `--dialect MODULE:NAME`, or `CHATPROOF_DIALECTS=MODULE:NAME,…` where there is
no such option (Locust, tests). Modules are looked for in the current folder as well.
"""

import importlib
import os
import pkgutil
import sys
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from drivers import dialects
from drivers.contract import Dialect

GROUP = "chatproof.dialects"
NAMED_IN = "CHATPROOF_DIALECTS"
"""Of the environment, so that every process of a run knows them."""


class DialectError(Exception):
    """A dialect that cannot be had; the text says which, and what is wrong with it."""


def name_dialect(place: str) -> None:
    """The dialect at MODULE:NAME is one of those there are, here and in processes started from here; whether
    it can be had shows when it is needed."""
    named = _named()
    if place not in named:
        os.environ[NAMED_IN] = ",".join([*named, place])
    known_dialects.cache_clear()


@cache
def known_dialects() -> dict[str, Dialect]:
    """All by name. Raises DialectError for one of somebody's that cannot be loaded, or a name taken twice."""
    modules = (
        importlib.import_module(f"{dialects.__name__}.{info.name}")
        for info in pkgutil.iter_modules(dialects.__path__)
    )
    found = {module.DIALECT.name: module.DIALECT for module in modules if hasattr(module, "DIALECT")}
    others = [(f"entry point {one.name}", _checked(_loaded(one), one.value)) for one in _entry_points()]
    others += [(place, _load(place)) for place in _named()]
    for where, dialect in others:
        if found.setdefault(dialect.name, dialect) is not dialect:
            raise DialectError(f"dialect {dialect.name} of {where}: there is another of that name")
    return found


def _entry_points() -> list[EntryPoint]:
    return sorted(entry_points(group=GROUP), key=lambda one: one.name)


def _loaded(point: EntryPoint) -> object:
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        raise DialectError(f"dialect {point.name} = {point.value}: {error}") from error


def _named() -> list[str]:
    return [place for place in os.environ.get(NAMED_IN, "").split(",") if place]


def _load(place: str) -> Dialect:
    module_name, colon, name = place.partition(":")
    if not colon or not module_name or not name:
        raise DialectError(f"dialect {place!r}: write MODULE:NAME, such as my_package.irc:DIALECT")
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    try:
        found: object = getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError) as error:
        raise DialectError(f"dialect {place}: {error}") from error
    return _checked(found, place)


def _checked(found: object, place: str) -> Dialect:
    if not isinstance(found, Dialect):
        raise DialectError(f"dialect {place}: is a {type(found).__name__}, not a drivers.contract.Dialect")
    return found

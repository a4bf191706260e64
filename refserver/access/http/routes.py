"""The route table: what is offered where, in which shape. Endpoint modules fill it, nobody lists them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec

if TYPE_CHECKING:
    from refserver.access.http.call import Call

Handler = Callable[["Call", Any], None]


@dataclass(frozen=True, slots=True)
class Route:
    """`request` describes the JSON body of a POST and the query of a GET; `{name}` in `path` is one segment.

    The handler answers through its Call, now or later, and its docstring is what the endpoint is for.
    `refusals`: statuses that it gives beside those that any request may get (see `openapi`).
    `media`: what it answers with, if that is text and no JSON.
    """

    method: str
    path: str
    request: type[msgspec.Struct]
    response: type[msgspec.Struct]
    handler: Handler
    public: bool
    refusals: tuple[int, ...]
    media: str = "application/json"


class Nothing(msgspec.Struct):
    """A request without fields."""


_table: dict[str, dict[str, Route]] = {}


def route(
    method: str,
    path: str,
    *,
    response: type[msgspec.Struct],
    request: type[msgspec.Struct] = Nothing,
    public: bool = False,
    refusals: tuple[int, ...] = (),
    media: str = "application/json",
) -> Callable[[Handler], Handler]:
    """Registers the decorated handler. `public`: no token is needed."""

    def register(handler: Handler) -> Handler:
        methods = _table.setdefault(path, {})
        if method in methods:
            raise ValueError(f"{method} {path} is registered twice")
        methods[method] = Route(method, path, request, response, handler, public, refusals, media)
        return handler

    return register


def load() -> list[Route]:
    """All routes, after importing every module of this package."""
    package = importlib.import_module(__package__ or "")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return [found for methods in _table.values() for found in methods.values()]


def find(path: str) -> tuple[dict[str, Route], dict[str, str]] | None:
    """The routes of a path by method, and what stands in its `{names}`; None for an unknown path."""
    exact = _table.get(path)
    if exact is not None and "{" not in path:
        return exact, {}
    segments = path.split("/")
    for pattern, methods in _table.items():
        names = _match(pattern.split("/"), segments) if "{" in pattern else None
        if names is not None:
            return methods, names
    return None


def _match(pattern: list[str], segments: list[str]) -> dict[str, str] | None:
    if len(pattern) != len(segments):
        return None
    names: dict[str, str] = {}
    for expected, segment in zip(pattern, segments, strict=True):
        if expected.startswith("{"):
            names[expected[1:-1]] = unquote(segment)
        elif expected != segment:
            return None
    return names

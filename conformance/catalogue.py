"""The clauses, as `requirements.toml` states them."""

import enum
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


class CatalogueError(Exception):
    """The catalogue contradicts itself; the text names the entry and what is wrong with it."""


class Level(enum.StrEnum):
    """How much a clause binds, strictest first."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"

    def binds_at(self, required: "Level") -> bool:
        """True when a breach counts for somebody who requires everything up to `required`."""
        order = list(Level)
        return order.index(self) <= order.index(required)


@dataclass(frozen=True, slots=True)
class Clause:
    """One promise. `family` is the title of its group; `needs` the capabilities without which it is moot."""

    id: str
    family: str
    level: Level
    text: str
    source: str
    needs: tuple[str, ...]


def parse(text: str) -> Mapping[str, Clause]:
    """Clauses by id, in the order of the file. Raises CatalogueError."""
    try:
        groups = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # A second table of the same name is how an id given twice shows itself.
        raise CatalogueError(f"requirements.toml: {error}") from error
    clauses: dict[str, Clause] = {}
    for prefix, group in groups.items():
        if not isinstance(group, dict) or "title" not in group:
            raise CatalogueError(f"[{prefix}]: a family needs a title")
        for number, entry in group.items():
            if number != "title":
                clause = _clause(prefix, number, group["title"], entry)
                clauses[clause.id] = clause
    return clauses


@cache
def load() -> Mapping[str, Clause]:
    """The catalogue that comes with this package. Raises CatalogueError."""
    return parse(Path(__file__).with_name("requirements.toml").read_text("utf-8"))


def in_order(identifier: str) -> tuple[str, int]:
    """Sort key that puts DLV.2 before DLV.10."""
    prefix, _, number = identifier.partition(".")
    return prefix, int(number)


def _clause(prefix: str, number: str, family: str, entry: Any) -> Clause:
    identifier = f"{prefix}.{number}"
    if not re.fullmatch(r"[A-Z]{3}\.[1-9][0-9]*", identifier):
        raise CatalogueError(f"[{identifier}]: an id is three capitals, a point and a number")
    if not isinstance(entry, dict):
        raise CatalogueError(f"[{prefix}] {number}: a family has a title and numbered clauses, nothing else")
    unknown = entry.keys() - {"level", "text", "source", "needs"}
    if unknown:
        raise CatalogueError(f"[{identifier}]: unknown key {sorted(unknown)[0]!r}")
    if entry.get("level") not in list(Level):
        raise CatalogueError(f"[{identifier}]: level {entry.get('level')!r} is none of {', '.join(Level)}")
    for key in ("text", "source"):
        if not isinstance(entry.get(key), str) or not entry[key]:
            raise CatalogueError(f"[{identifier}]: {key} is missing")
    needs = entry.get("needs", [])
    if not isinstance(needs, list) or not all(isinstance(need, str) for need in needs):
        raise CatalogueError(f"[{identifier}]: needs has to be a list of names")
    return Clause(identifier, family, Level(entry["level"]), entry["text"], entry["source"], tuple(needs))

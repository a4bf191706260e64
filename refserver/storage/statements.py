"""Statements over many rows or keys, written once from the tables and cached by size."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import Select, Table, column, values
from sqlalchemy.sql.selectable import CTE

from refserver.storage import sqlite

Row = TypeVar("Row")

_LARGEST = 256


def _chunk(count: int) -> int:
    """The largest power of two that `count` has room for, so that few texts serve all sizes."""
    return min(1 << (count.bit_length() - 1), _LARGEST)


class Insert:
    """Inserts rows given as one flat list of values, in the order of the table's columns.

    `replaced` and `added`: columns that a row which is there already takes from the new one or adds it to.
    """

    def __init__(self, table: Table, *, replaced: Sequence[str] = (), added: Sequence[str] = ()) -> None:
        self._table = table
        self._width = len(table.c)
        self._replaced = replaced
        self._added = added
        self._texts: dict[int, str] = {}

    def __call__(self, cursor: Any, flat: list[Any]) -> None:
        at, rows = 0, len(flat) // self._width
        while rows:
            size = _chunk(rows)
            end = at + size * self._width
            cursor.execute(self._texts.get(size) or self._write(size), flat[at:end])
            at, rows = end, rows - size

    def _write(self, size: int) -> str:
        names = [column.name for column in self._table.c]
        statement = sqlite.insert(self._table).values([dict.fromkeys(names)] * size)
        if self._replaced or self._added:
            new: dict[str, Any] = {name: statement.excluded[name] for name in self._replaced}
            new |= {name: self._table.c[name] + statement.excluded[name] for name in self._added}
            statement = statement.on_conflict_do_update(index_elements=self._table.primary_key, set_=new)
        text = self._texts[size] = str(statement.compile(dialect=sqlite.DIALECT))
        return text


class Lookup(Generic[Row]):
    """Rows for many keys, in one step for up to 256 of them.

    `rows(keys)` gets the keys as a table expression with the columns of `key` (name and type). Keys may come
    twice in what is asked (and so their rows in what is answered). Rows are of type `row`.
    """

    def __init__(self, key: dict[str, Any], rows: Callable[[CTE], Select[Any]], row: type[Row]) -> None:
        self._key = key
        self._rows = rows
        self._decode = msgspec.json.Decoder(list[row]).decode  # type: ignore[valid-type]
        self._texts: dict[int, str] = {}

    def __call__(self, cursor: Any, keys: Sequence[tuple[Any, ...]]) -> list[Row]:
        found: list[Row] = []
        for at in range(0, len(keys), _LARGEST):
            part = keys[at : at + _LARGEST]
            size = 1 << (len(part) - 1).bit_length()
            flat = [value for key in part for value in key]
            flat += part[-1] * (size - len(part))
            packed = cursor.execute(self._texts.get(size) or self._write(size), flat).fetchone()[0]
            found += self._decode(packed)
        return found

    def _write(self, size: int) -> str:
        columns = [column(name, kind) for name, kind in self._key.items()]
        dummy = tuple(kind.python_type() for kind in self._key.values())
        keys = values(*columns).data([dummy] * size).cte("keys")
        text = self._texts[size] = str(sqlite.packed(self._rows(keys)).compile(dialect=sqlite.DIALECT))
        return text

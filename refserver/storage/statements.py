"""Statements over many rows or keys, written once from the tables and cached by size."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import Select, Table, column, values
from sqlalchemy.sql.selectable import CTE

from refserver.storage import sqlite

Row = TypeVar("Row")

_LARGEST = 256


def chunk(count: int, largest: int = _LARGEST) -> int:
    """The largest power of two within `count` and `largest`, so that few texts do for all sizes."""
    return min(1 << (count.bit_length() - 1), largest)


class _Text:
    """A statement with one VALUES row, written out for any number of them.

    Repeating the row in the text takes no time, where having SQLAlchemy write a thousand parameters holds the
    interpreter for a tenth of a second.
    """

    def __init__(self, statement: Any, width: int) -> None:
        self._one = str(statement.compile(dialect=sqlite.DIALECT))
        self._row = f"({', '.join('?' * width)})"
        self._texts: dict[int, str] = {}
        if self._one.count(f"VALUES {self._row}") != 1:
            raise ValueError(f"not exactly one row of {width} values in: {self._one}")

    def __call__(self, size: int) -> str:
        text = self._texts.get(size)
        if text is None:
            rows = ", ".join([self._row] * size)
            text = self._texts[size] = self._one.replace(f"VALUES {self._row}", f"VALUES {rows}")
        return text


class Insert:
    """Inserts rows given as one flat list of values, in the order of the table's columns.

    `replaced` and `added`: columns that a row which is there already takes from the new one or adds it to.
    """

    def __init__(self, table: Table, *, replaced: Sequence[str] = (), added: Sequence[str] = ()) -> None:
        names = [column.name for column in table.c]
        statement = sqlite.insert(table).values([dict.fromkeys(names)])
        if replaced or added:
            new: dict[str, Any] = {name: statement.excluded[name] for name in replaced}
            new |= {name: table.c[name] + statement.excluded[name] for name in added}
            statement = statement.on_conflict_do_update(index_elements=table.primary_key, set_=new)
        self._width = len(names)
        self._text = _Text(statement, self._width)

    def __call__(self, cursor: Any, flat: list[Any]) -> None:
        at, rows = 0, len(flat) // self._width
        while rows:
            size = chunk(rows)
            end = at + size * self._width
            cursor.execute(self._text(size), flat[at:end])
            at, rows = end, rows - size


class Lookup(Generic[Row]):
    """Rows for many keys, in one step for up to 256 of them.

    `rows(keys)` gets the keys as a table expression with the columns of `key` (name and type); they have to
    be its only parameters. Keys may come twice in what is asked, and so their rows in what is answered. Rows
    are of type `row`.
    """

    def __init__(self, key: dict[str, Any], rows: Callable[[CTE], Select[Any]], row: type[Row]) -> None:
        keys = values(*[column(name, kind) for name, kind in key.items()])
        one = keys.data([tuple(kind.python_type() for kind in key.values())]).cte("keys")
        self._text = _Text(sqlite.packed(rows(one)), len(key))
        self._decode = msgspec.json.Decoder(list[row]).decode  # type: ignore[valid-type]

    def __call__(self, cursor: Any, keys: Sequence[tuple[Any, ...]]) -> list[Row]:
        found: list[Row] = []
        for at in range(0, len(keys), _LARGEST):
            part = keys[at : at + _LARGEST]
            size = 1 << (len(part) - 1).bit_length()
            flat = [value for key in part for value in key]
            flat += part[-1] * (size - len(part))
            found += self._decode(cursor.execute(self._text(size), flat).fetchone()[0])
        return found

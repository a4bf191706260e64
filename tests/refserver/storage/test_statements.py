"""Statements over many rows: any number of them, in few steps, found by key and not by walking."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, String, Table, select

from refserver.storage import Storage, loading, sqlite
from refserver.storage.statements import Insert, Lookup

counters = Table(
    "counters",
    MetaData(),
    Column("name", String, primary_key=True),
    Column("note", String),
    Column("total", Integer),
)
insert = Insert(counters)
merge = Insert(counters, replaced=("note",), added=("total",))
lookup = Lookup(
    {"name": String()},
    lambda keys: select(counters.c.name, counters.c.total).join(keys, counters.c.name == keys.c.name),
    tuple[str, int],
)


class CountingCursor:
    """Counts statements."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self.steps = 0

    def execute(self, statement: str, values: Any) -> Any:
        self.steps += 1
        return self._cursor.execute(statement, values)


def fresh_cursor(path: Path | str = ":memory:") -> CountingCursor:
    cursor = sqlite.connect(Path(path)).cursor()
    cursor.execute("CREATE TABLE counters (name TEXT PRIMARY KEY, note TEXT, total INTEGER)")
    return CountingCursor(cursor)


@given(st.integers(0, 1200))
def test_any_number_of_rows_is_inserted_and_found_again(count: int) -> None:
    cursor = fresh_cursor()
    insert(cursor, [value for n in range(count) for value in (f"n{n}", "", n)])
    assert dict(lookup(cursor, [(f"n{n}",) for n in range(count + 5)])) == {f"n{n}": n for n in range(count)}


def test_many_rows_take_few_steps() -> None:
    cursor = fresh_cursor()
    insert(cursor, [value for n in range(1023) for value in (f"n{n}", "", n)])
    assert cursor.steps == 3 + 8
    cursor.steps = 0
    lookup(cursor, [(f"n{n}",) for n in range(1023)])
    assert cursor.steps == 4


def test_a_row_that_is_there_is_replaced_or_added_to() -> None:
    cursor = fresh_cursor()
    merge(cursor, ["a", "old", 1, "b", "old", 2])
    merge(cursor, ["a", "new", 10, "c", "new", 30])
    assert dict(lookup(cursor, [("a",), ("b",), ("c",)])) == {"a": 11, "b": 2, "c": 30}


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=9))
def test_any_text_comes_back_as_it_was(names: list[str]) -> None:
    cursor = fresh_cursor()
    unique = list(dict.fromkeys(names))
    insert(cursor, [value for name in unique for value in (name, "", 1)])
    assert {name for name, _ in lookup(cursor, [(name,) for name in unique])} == set(unique)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite.Connection]:
    storage = Storage.open(tmp_path)
    connection = sqlite.connect(sqlite.path_in(tmp_path))
    yield connection
    connection.close()
    storage.close()


LOOKUPS = {name: value for name, value in vars(loading).items() if isinstance(value, Lookup)}


@pytest.mark.parametrize("lookup", LOOKUPS.values(), ids=LOOKUPS.keys())
def test_no_lookup_of_a_batch_walks_through_a_table_or_an_inbox(
    lookup: Lookup[Any], connection: sqlite.Connection
) -> None:
    """Only the keys are scanned; of an inbox, only what one conversation or the newest version needs."""
    text = lookup._text(4)
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", ["x"] * text.count("?"))]
    walks = [
        step for step in plan if step.startswith("SCAN") and "keys" not in step and "CONSTANT" not in step
    ]
    assert walks == []
    inbox = [step for step in plan if "inbox" in step and "conversation=?" not in step]
    assert inbox in ([], ["SEARCH inbox USING PRIMARY KEY (owner=?)"])
    assert not [
        step for step in plan if "messages" in step and "cid=?" not in step and "conversation=?" not in step
    ]

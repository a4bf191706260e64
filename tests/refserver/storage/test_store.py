"""The store itself: what lies in the tables, and how it behaves beside others."""

from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest
from sqlalchemy import func, inspect, select, text

from protocol.messages import Pull, Pulled
from refserver import accounts
from refserver.storage import Storage, StorageFailed, checkpoints, schema, sqlite
from refserver.storage.loading import Wanted
from refserver.storage.writing import Rows

NOTHING_WANTED = Wanted([], [], [], [])


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    storage = Storage.open(tmp_path)
    yield storage
    storage.close()


def group_message(mid: int, members: list[str]) -> Rows:
    """One message from the first member to all."""
    rows = Rows([mid, "g:all", mid, members[0], "d", f"c{mid}", 0, "text", b"hello", 1], [], [], [])
    for member in members:
        rows.inbox += (member, mid, "g:all", member != members[0], mid, mid)
        rows.contacts += (member, "g:all", mid, mid, 1, int(member != members[0]), 0)
    return rows


def test_a_message_is_stored_once_whatever_the_number_of_recipients(storage: Storage) -> None:
    members = [f"u{n}" for n in range(300)]
    storage.write(group_message(1, members))
    with storage.engine.connect() as connection:
        for table, rows in ((schema.messages, 1), (schema.inbox, 300), (schema.contacts, 300)):
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == rows


def test_a_contact_stays_one_row(storage: Storage) -> None:
    for mid in (1, 2, 3):
        storage.write(group_message(mid, ["u0", "u1"]))
    with storage.engine.connect() as connection:
        rows = connection.execute(select(schema.contacts).order_by(schema.contacts.c.owner)).all()
    assert [(row.owner, row.mid, row.unread) for row in rows] == [("u0", 3, 0), ("u1", 3, 3)]


def test_a_broken_batch_leaves_nothing_and_the_next_one_works(storage: Storage) -> None:
    storage.write(group_message(1, ["u0", "u1"]))
    twice = group_message(2, ["u0", "u1"])
    twice.messages += twice.messages
    with pytest.raises(Exception, match="UNIQUE"):
        storage.write(twice)
    assert storage.newest_mid() == 1
    storage.write(group_message(2, ["u0", "u1"]))
    (page,) = storage.answer([("u1", Pull(0, 0))])
    assert isinstance(page, Pulled)
    assert [entry.version for entry in page.entries] == [1, 2]


def test_a_full_disk_is_an_outage_and_not_a_bug(storage: Storage) -> None:
    storage._writing.connection.execute("PRAGMA max_page_count = 1")
    rows = group_message(1, ["u0", "u1"])
    rows.messages[8] = bytes(1 << 20)
    with pytest.raises(StorageFailed, match="full"):
        storage.write(rows)
    assert storage.newest_mid() == 0


def test_changes_by_others_are_noticed_and_own_ones_are_not(storage: Storage, tmp_path: Path) -> None:
    seen, _ = storage.load(NOTHING_WANTED, -1)
    storage.write(group_message(1, ["u0", "u1"]))
    again, loaded = storage.load(NOTHING_WANTED, seen)
    assert loaded is not None
    accounts.add(tmp_path, ["u9"])
    changed, loaded = storage.load(NOTHING_WANTED, again)
    assert loaded is None
    assert storage.load(NOTHING_WANTED, changed)[1] is not None


def test_commits_are_durable(storage: Storage, tmp_path: Path) -> None:
    connection = storage._writing.connection
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert sqlite.path_in(tmp_path) == tmp_path / "chatproof.db"


def test_nothing_is_stored_that_can_be_derived(storage: Storage) -> None:
    columns = {
        table: {column["name"] for column in inspect(storage.engine).get_columns(table)}
        for table in inspect(storage.engine).get_table_names()
    }
    assert set(columns) == set(schema.metadata.tables)
    assert not any("total" in names for names in columns.values())
    assert "version" not in columns["accounts"]


def test_opening_twice_changes_nothing(storage: Storage, tmp_path: Path) -> None:
    storage.write(group_message(1, ["u0", "u1"]))
    second = Storage.open(tmp_path)
    assert second.newest_mid() == 1
    second.close()


def test_a_page_is_read_beside_an_open_transaction(storage: Storage) -> None:
    storage.write(group_message(1, ["u0", "u1"]))
    with storage.engine.begin() as connection:
        connection.execute(text("DELETE FROM inbox"))
        (page,) = storage.answer([("u1", Pull(0, 0))])
        connection.rollback()
    assert isinstance(page, Pulled)
    assert page.newest == 1


def test_many_questions_take_few_steps(storage: Storage) -> None:
    storage.write(group_message(1, ["u0", "u1"]))
    statements: list[str] = []
    storage._pages.connection.set_trace_callback(statements.append)
    pages = storage.answer([("u1", Pull(0, 0)), ("nobody", Pull(0, 0))] * 32)
    assert [page.newest for page in pages if isinstance(page, Pulled)] == [1, 0] * 32
    assert len(statements) == 4


def test_what_is_committed_gets_into_the_database_beside_the_commits(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "CHECKPOINT_ROWS", 1000)
    database = sqlite.path_in(tmp_path)
    members = [f"u{n}" for n in range(300)]
    seen, _ = storage.load(NOTHING_WANTED, -1)
    storage.write(group_message(1, members))
    before = database.stat().st_size
    storage.write(group_message(2, members))
    with gevent.Timeout(20):
        while database.stat().st_size == before:
            gevent.sleep(0.005)
    # Nobody else has changed anything, so what is known about relations stays true.
    assert storage.load(NOTHING_WANTED, seen)[1] is not None


def test_a_checkpoint_that_fails_costs_nothing_but_itself(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(checkpoints, "CHECKPOINT_ROWS", 1)
    storage._checkpoints._connection.close()
    storage.write(group_message(1, ["u0", "u1"]))
    with gevent.Timeout(20):
        while "a checkpoint failed" not in caplog.text:
            gevent.sleep(0.005)
    storage.write(group_message(2, ["u0", "u1"]))
    assert storage.newest_mid() == 2


def test_the_log_begins_anew_while_commit_follows_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = [f"u{n}" for n in range(300)]
    log_bytes = {}
    for rows in (1000, 10**9):
        monkeypatch.setattr(checkpoints, "CHECKPOINT_ROWS", rows)
        storage = Storage.open(tmp_path / str(rows))
        for mid in range(1, 101):
            storage.write(group_message(mid, members))
        log = sqlite.path_in(tmp_path / str(rows))
        log_bytes[rows] = log.with_name(f"{log.name}-wal").stat().st_size
        storage.close()
    assert log_bytes[1000] < log_bytes[10**9] / 2

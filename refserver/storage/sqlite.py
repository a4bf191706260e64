"""Everything that only SQLite has: how it is opened, how it fails, how rows come back in one step.

The driver gives the interpreter's lock back for each step of a statement and asks for it again for each row;
beside a busy hub every such request can wait a whole switch interval. So nothing here returns or binds rows
one by one: inserts carry many rows each, and results are packed into a single JSON value.
"""

import os
import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, LargeBinary, NullPool, Select, create_engine, event, func, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import insert as insert  # the upsert that PostgreSQL spells the same way

from refserver.disturbances import Disturbances

FILE_NAME = "chatproof.db"
DIALECT = sqlite.dialect()
_BUSY_TIMEOUT_S = 30.0

Connection = sqlite3.Connection


def path_in(data_dir: str | os.PathLike[str]) -> Path:
    """Where the database of a data directory is."""
    return Path(data_dir) / FILE_NAME


def connect(path: Path) -> Connection:
    """A connection that any one thread at a time may use; every commit on it is durable (DLV.7)."""
    connection = sqlite3.connect(
        path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False, cached_statements=512
    )
    # Every party of a message has its own place in several trees, so a batch dirties one page for nearly each
    # row: small pages and rare checkpoints write a third less than the defaults. Those that a commit makes,
    # of 256 MiB of log, are only for when `checkpoints` cannot keep up.
    connection.execute("PRAGMA page_size = 2048")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA cache_size = -65536")
    connection.execute("PRAGMA wal_autocheckpoint = 128000")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def checkpoint(connection: Connection) -> int:
    """Copies what the log holds by now into the database, waiting for nobody; how many pages of the log have
    been copied since it began."""
    _is_busy, _in_log, copied = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return int(copied)


def engine(path: Path) -> Engine:
    """For work that is not on the message path: accounts, tests."""
    made = create_engine("sqlite://", creator=lambda: connect(path), poolclass=NullPool)

    @event.listens_for(made, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return made


def suffer(disturbances: Disturbances) -> None:
    """Takes as long, or fails, as a commit on a disk that is slow or full; for a thread that may wait."""
    if disturbances.commit_delay_s:
        time.sleep(disturbances.commit_delay_s)
    if disturbances.disk_is_full:
        raise sqlite3.OperationalError("database or disk is full")


def is_outage(error: BaseException) -> bool:
    """True for what may be over at the next try: disk full, I/O error, locked. The rest is a bug."""
    return isinstance(error, sqlite3.OperationalError)


def changes_elsewhere(connection: Connection) -> int:
    """A number that differs from the one before when another connection has committed in between."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


def packed(rows: Select[Any]) -> Select[tuple[str]]:
    """One row, one column: all of `rows` as a JSON array of arrays, binary columns in hexadecimal.

    The order of `rows` is not promised.
    """
    inner = rows.subquery()
    cells = [func.hex(cell) if isinstance(cell.type, LargeBinary) else cell for cell in inner.c]
    return select(func.json_group_array(func.json_array(*cells))).select_from(inner)

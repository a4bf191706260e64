"""Checkpoints beside the commits: copying the log into the database must not keep those who send waiting."""

import logging
import sqlite3
from pathlib import Path

from gevent.event import AsyncResult
from gevent.threadpool import ThreadPool

from refserver.storage import sqlite

log = logging.getLogger(__name__)

CHECKPOINT_ROWS = 12_000
"""So many rows change about as many pages (see `sqlite.connect`): a third of the log after which a commit
itself makes a checkpoint. That one then finds little to copy, and begins the log anew."""


class Checkpoints:
    """A thread with a connection of its own. Closing waits for the checkpoint under way."""

    def __init__(self, path: Path) -> None:
        self._pool = ThreadPool(1)
        self._connection = sqlite.connect(path)
        self._rows = 0
        self._running: AsyncResult[None] | None = None

    def wrote(self, rows: int) -> None:
        """So many rows have been committed; returns at once."""
        self._rows += rows
        if self._rows >= CHECKPOINT_ROWS and (self._running is None or self._running.ready()):
            self._rows = 0
            self._running = self._pool.spawn(_checkpoint, self._connection)

    def close(self) -> None:
        self._pool.join()
        self._pool.kill()
        self._connection.close()


def _checkpoint(connection: sqlite3.Connection) -> None:
    try:
        sqlite.checkpoint(connection)
    except sqlite3.Error as error:
        # Nothing is lost: the log keeps everything, and the next checkpoint finds it there.
        log.warning("a checkpoint failed: %s", error)

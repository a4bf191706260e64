"""Checkpoints beside the commits: copying the log into the database must not keep those who send waiting."""

import logging
import sqlite3
from pathlib import Path

from gevent.event import AsyncResult
from gevent.threadpool import ThreadPool

from refserver.storage import sqlite

log = logging.getLogger(__name__)

CHECKPOINT_ROWS = 48_000
"""So many rows change nearly as many pages (see `sqlite.connect`), many of them more than once."""
_PASSES = 6
_FEW_PAGES = 200


class Checkpoints:
    """A thread with a connection of its own. Closing waits for the checkpoint under way."""

    def __init__(self, path: Path) -> None:
        self._pool = ThreadPool(1)
        self._connection = sqlite.connect(path)
        self._rows = 0
        self._running: AsyncResult[None] | None = None

    def wrote(self, rows: int) -> bool:
        """So many rows have been committed; returns at once. True if all but the last few pages of the log
        have been copied: whoever writes copies those, and its next commit begins the log anew, which nobody
        else can bring about while it goes on and on."""
        self._rows += rows
        if self._running is not None:
            if not self._running.ready():
                return False
            self._running = None
            return True
        if self._rows >= CHECKPOINT_ROWS:
            self._rows = 0
            self._running = self._pool.spawn(_copy, self._connection)
        return False

    def close(self) -> None:
        self._pool.join()
        self._pool.kill()
        self._connection.close()


def _copy(connection: sqlite3.Connection) -> None:
    """Each pass finds what was committed during the one before, which is less each time."""
    copied = copy_rest(connection)
    for _ in range(_PASSES):
        before, copied = copied, copy_rest(connection)
        if copied - before <= _FEW_PAGES:
            return


def copy_rest(connection: sqlite3.Connection) -> int:
    """What the log holds by now is in the database; how many pages have been copied since it began."""
    try:
        return sqlite.checkpoint(connection)
    except sqlite3.Error as error:
        # Nothing is lost: the log keeps everything, and the next checkpoint finds it there.
        log.warning("a checkpoint failed: %s", error)
        return 0

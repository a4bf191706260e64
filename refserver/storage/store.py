"""The store as business uses it: a thread for each kind of work, the hub never waits for it."""

import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from gevent.threadpool import ThreadPool
from sqlalchemy import func, select

from protocol.messages import Message
from refserver.disturbances import Disturbances
from refserver.storage import loading, pages, sqlite, writing
from refserver.storage.checkpoints import Checkpoints, copy_rest
from refserver.storage.loading import Loaded, Wanted
from refserver.storage.questions import Asked
from refserver.storage.schema import messages, metadata
from refserver.storage.writing import Rows

Answer = TypeVar("Answer")


class StorageFailed(Exception):
    """The store cannot do it now (disk full, I/O error, locked too long); nothing of it has happened."""


class _Failed:
    """An exception on its way out of a thread; the pool would print one that is raised there."""

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error


def _attempt(work: Callable[..., Answer], *args: Any) -> Answer | _Failed:
    try:
        return work(*args)
    except Exception as error:  # noqa: BLE001 - raised again on the other side
        return _Failed(error)


class _Lane:
    """One thread with one connection; what runs in it runs one after the other."""

    def __init__(self, path: Path) -> None:
        self._pool = ThreadPool(1)
        self.connection = sqlite.connect(path)
        self._cursor = self.connection.cursor()

    def run(self, work: Callable[..., Answer], *args: Any) -> Answer:
        """Waits in the calling greenlet. Raises StorageFailed; other exceptions are bugs and pass through."""
        outcome: Answer | _Failed = self._pool.apply(_attempt, (work, self._cursor, *args))
        if not isinstance(outcome, _Failed):
            return outcome
        if sqlite.is_outage(outcome.error):
            raise StorageFailed(str(outcome.error)) from outcome.error
        raise outcome.error

    def close(self) -> None:
        self._pool.join()
        self._pool.kill()
        self.connection.close()


class Storage:
    """The database of one data directory, open for the server. Closing waits for what runs. Commits suffer
    what `disturbances` say at that moment."""

    def __init__(self, data_dir: str | os.PathLike[str], disturbances: Disturbances | None = None) -> None:
        path = sqlite.path_in(data_dir)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.engine = sqlite.engine(path)
        metadata.create_all(self.engine)
        self._writing = _Lane(path)
        self._before_commit = None if disturbances is None else partial(sqlite.suffer, disturbances)
        self._logins = _Lane(path)
        self._pages = _Lane(path)
        self._checkpoints = Checkpoints(path)

    @classmethod
    def open(cls, data_dir: str | os.PathLike[str], disturbances: Disturbances | None = None) -> "Storage":
        """Makes the tables when they are not there yet."""
        return cls(data_dir, disturbances)

    def close(self) -> None:
        """No work may be asked for afterwards."""
        for each in (self._writing, self._logins, self._pages, self._checkpoints):
            each.close()
        self.engine.dispose()

    def load(self, wanted: Wanted, changes_seen: int) -> tuple[int, Loaded | None]:
        """What `wanted` asks for; None when another process has written since `changes_seen`, so that
        everything known about relations is to be asked for again. Also the number to pass next time."""
        return self._writing.run(_load, wanted, changes_seen)

    def write(self, rows: Rows) -> None:
        """Commits all of `rows` durably, or raises with none of them stored."""
        self._writing.run(writing.write, rows, self._before_commit)
        if self._checkpoints.wrote(rows.count):
            self._writing.run(_copy_rest)

    def versions(self, users: Iterable[str]) -> dict[str, int]:
        """The newest committed inbox version of each user that has an account."""
        return self._logins.run(loading.versions, list(users))

    def answer(self, questions: Sequence[Asked]) -> list[Message]:
        """The answers to (user, PULL | UNREAD | CONTACTS | HISTORY), none from before now."""
        return self._pages.run(pages.answer, questions)

    def newest_mid(self) -> int:
        """The greatest message id ever stored, 0 when there is none."""
        with self.engine.connect() as connection:
            return int(connection.execute(select(func.coalesce(func.max(messages.c.mid), 0))).scalar_one())


def _copy_rest(cursor: Any) -> None:
    copy_rest(cursor.connection)


def _load(cursor: Any, wanted: Wanted, changes_seen: int) -> tuple[int, Loaded | None]:
    changes = sqlite.changes_elsewhere(cursor.connection)
    if changes != changes_seen:
        return changes, None
    return changes, loading.load(cursor, wanted)

"""The tables of a data directory, for work in one go; a server may be running on them."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DBAPIError

from protocol.names import is_valid_user
from refserver.storage import sqlite
from refserver.storage.schema import accounts, metadata

CHUNK = 5000
"""Rows a transaction: a server beside it waits that long at most before it can store messages."""
_KEYS = 500

T = TypeVar("T")
DataDir = str | os.PathLike[str]


class AccountsError(Exception):
    """Wrong use, in one line: what, where, what to do."""


@contextmanager
def opened(data_dir: DataDir) -> Iterator[Engine]:
    """The store of `data_dir`, made when there is none. Raises AccountsError when it cannot be used."""
    path = sqlite.path_in(data_dir)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        engine = sqlite.engine(path)
        metadata.create_all(engine)
    except (OSError, DBAPIError) as error:
        raise AccountsError(f"{path}: {_reason(error)}; name a directory that can be written to") from error
    try:
        yield engine
    except DBAPIError as error:
        raise AccountsError(f"{path}: {_reason(error)}") from error
    finally:
        engine.dispose()


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """Lists of `size` items, the last one shorter."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def existing(connection: Connection, users: Iterable[str]) -> set[str]:
    """Those of `users` that have an account."""
    found: set[str] = set()
    for some in chunks(users, _KEYS):
        found.update(connection.scalars(select(accounts.c.user).where(accounts.c.user.in_(some))))
    return found


def require_valid(users: Iterable[str]) -> None:
    """Raises AccountsError for the first that cannot be a user id."""
    for user in users:
        if not is_valid_user(user):
            raise AccountsError(
                f"user id {user!r}: use 1 to 64 bytes, printable, without colon or white space, and not g"
            )


def require_accounts(connection: Connection, users: Sequence[str] | set[str]) -> None:
    """Raises AccountsError for the first without an account."""
    missing = set(users) - existing(connection, users)
    if missing:
        raise AccountsError(f"user {min(missing)!r} has no account: add it first")


def _reason(error: Exception) -> str:
    if isinstance(error, DBAPIError):
        return str(error.orig)
    return getattr(error, "strerror", None) or str(error)

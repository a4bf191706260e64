"""New accounts: some by name, many from a file, a hundred thousand out of nothing."""

import csv
import os
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import Engine

from refserver.accounts.database import AccountsError, DataDir, chunks, existing, opened, require_valid
from refserver.accounts.passwords import hash_password
from refserver.storage import sqlite
from refserver.storage.schema import accounts

_HEADER = ["user", "password"]


def add(data_dir: DataDir, users: Sequence[str], password: str | None = None) -> None:
    """Each of `users` has an account, all with `password` if one is given (each with a salt of its own).

    Raises AccountsError, and adds none, when one of them exists already or cannot be a user id.
    """
    _add(data_dir, [(user, password) for user in users])


def import_rows(data_dir: DataDir, path: str | os.PathLike[str]) -> int:
    """Every row `user` or `user,password` of a CSV file is an account; a first row of just these words is a
    header. The number of accounts added. Raises AccountsError, and adds none, as `add` does.
    """
    rows: list[tuple[str, str | None]] = []
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            for number, row in enumerate(csv.reader(file), 1):
                if not row or (number == 1 and row == _HEADER[: len(row)]):
                    continue
                if len(row) > len(_HEADER):
                    raise AccountsError(f"{path}:{number}: {len(row)} columns; write user or user,password")
                rows.append((row[0], row[1] if len(row) > 1 and row[1] else None))
    except OSError as error:
        raise AccountsError(f"{path}: {error.strerror}; name a CSV file of user,password") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise AccountsError(f"{path}: {error}; write CSV in UTF-8") from error
    _add(data_dir, rows)
    return len(rows)


def generate(data_dir: DataDir, count: int, prefix: str = "u") -> list[str]:
    """Accounts `<prefix>0` to `<prefix><count − 1>` exist, without passwords; those there before are kept."""
    users = [f"{prefix}{number}" for number in range(count)]
    require_valid(users[-1:])
    with opened(data_dir) as engine:
        _insert(engine, ((user, None) for user in users))
    return users


def _add(data_dir: DataDir, rows: Sequence[tuple[str, str | None]]) -> None:
    users = [user for user, _ in rows]
    require_valid(users)
    if len(set(users)) < len(users):
        [(twice, _)] = Counter(users).most_common(1)
        raise AccountsError(f"user {twice!r} is named twice: name it once")
    with opened(data_dir) as engine:
        with engine.connect() as connection:
            known = existing(connection, users)
        if known:
            raise AccountsError(f"user {min(known)!r} exists already: leave it out")
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            hashes = threads.map(
                lambda password: None if password is None else hash_password(password),
                [password for _, password in rows],
            )
            _insert(engine, zip(users, list(hashes), strict=True))


def _insert(engine: Engine, rows: Iterable[tuple[str, str | None]]) -> None:
    now_ms = int(time.time() * 1000)
    statement = sqlite.insert(accounts).on_conflict_do_nothing()
    for chunk in chunks(rows):
        with engine.begin() as connection:
            connection.execute(
                statement,
                [{"user": user, "password_hash": hashed, "created_ms": now_ms} for user, hashed in chunk],
            )

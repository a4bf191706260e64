"""Tokens for many accounts in one file, as load generators read them."""

import csv
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from sqlalchemy import select

from refserver.accounts.database import AccountsError, DataDir, opened, require_accounts
from refserver.storage.schema import accounts
from refserver.tokens import TokenSigner, load_or_create_secret


def tokens(data_dir: DataDir, users: Iterable[str] | None, ttl_s: float, out: str | os.PathLike[str]) -> int:
    """`out` is a CSV file of `user,token` lines, readable by its owner only; None means every account.

    The number of lines. Raises AccountsError for a user without an account and for a file that cannot be
    written.
    """
    with opened(data_dir) as engine, engine.connect() as connection:
        if users is None:
            named = list(connection.scalars(select(accounts.c.user).order_by(accounts.c.user)))
        else:
            named = list(users)
            require_accounts(connection, named)
    issue = TokenSigner(load_or_create_secret(data_dir)).issue
    with private_file(out) as file:
        csv.writer(file, lineterminator="\n").writerows((user, issue(user, ttl_s)) for user in named)
    return len(named)


def private_file(path: str | os.PathLike[str]) -> TextIO:
    """`path` opened for writing text, empty, for its owner only. Raises AccountsError."""
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise AccountsError(f"{path}: {error.strerror}; name a file that can be written") from error
    return os.fdopen(descriptor, "w", encoding="utf-8", newline="")

"""Passwords as argon2id hashes, and a check that tells nobody who exists (SEC.2)."""

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Engine, select

from refserver.storage.schema import accounts

_hasher = PasswordHasher(type=Type.ID)
_NOBODY = _hasher.hash("nobody's password: it is never right")
"""What the password of an unknown user is compared with, so that it takes the same time."""


def hash_password(password: str) -> str:
    """Salted, memory-hard, some tens of milliseconds; releases the interpreter while it runs."""
    return _hasher.hash(password)


def check_password(engine: Engine, user: str, password: str) -> bool:
    """True for the password of `user`. As slow for an unknown user and for one without a password.

    Waits for the store and for the hash: to be called in a thread. `engine` is that of `Storage`.
    """
    with engine.connect() as connection:
        stored = connection.execute(
            select(accounts.c.password_hash).where(accounts.c.user == user)
        ).scalar_one_or_none()
    try:
        _hasher.verify(stored or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None

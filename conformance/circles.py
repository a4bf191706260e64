"""Accounts of servers that keep no lists of friends: circles of five, as `chatproof run` has them.

Every five accounts of a file, in its order, may write to each other and share the group of the first.
"""

import secrets
from collections.abc import Sequence
from pathlib import Path

from conformance.accounts import AccountsError, Block, User, load
from drivers import accounts

USERS = 5


def circle(users: Sequence[User]) -> Block:
    """A block of one circle; nobody is a stranger where everybody may write to everybody."""
    names = [user.user for user in users]
    return Block(users, names, (), f"g:{names[0]}", names, ())


def load_any(path: Path) -> list[Block]:
    """The blocks of a JSON file as for the chat protocol, or the circles of a CSV file of users and secrets.

    Raises AccountsError.
    """
    try:
        with path.open("rb") as file:
            is_json = file.read(64).lstrip().startswith(b"{")
        if is_json:
            return load(path)
        with accounts.AccountsFile(path) as known:
            found = [known.identity(number, "") for number in range(known.count)]
    except OSError as error:
        raise AccountsError(f"accounts file {path}: {error.strerror}") from error
    except accounts.AccountsError as error:
        raise AccountsError(str(error)) from error
    users = [User(identity.user, identity.secret) for identity in found]
    if len(users) < USERS:
        raise AccountsError(f"accounts file {path}: {len(users)} accounts, and cases need {USERS} at least")
    return _circles(users)


def made_up(blocks: int) -> list[Block]:
    """For a server that lets in whoever comes: names that nobody else has."""
    mark = secrets.token_hex(3)
    return _circles([User(f"cp{mark}n{number}", "") for number in range(blocks * USERS)])


def _circles(users: Sequence[User]) -> list[Block]:
    whole = len(users) // USERS * USERS
    return [circle(users[at : at + USERS]) for at in range(0, whole, USERS)]

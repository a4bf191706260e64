"""Friends and groups. A server that runs beside it applies them from its next batch of messages on."""

from collections.abc import Iterable, Sequence
from itertools import combinations

from sqlalchemy import Connection, delete, select

from protocol.names import GROUP_PREFIX, is_valid_user
from refserver.accounts.database import AccountsError, DataDir, chunks, opened, require_accounts
from refserver.storage import sqlite
from refserver.storage.schema import friendships, group_members, groups


def befriend(data_dir: DataDir, users: Sequence[str]) -> None:
    """All of `users` are friends of each other. Raises AccountsError for one without an account."""
    if len(set(users)) < 2:
        raise AccountsError("friends: name at least two different users")
    befriend_pairs(data_dir, combinations(dict.fromkeys(users), 2))


def befriend_pairs(data_dir: DataDir, pairs: Iterable[tuple[str, str]]) -> int:
    """The two of each pair are friends, in both directions. The number of pairs.

    Raises AccountsError for a user without an account or paired with itself; the pairs before it may have
    been stored then.
    """
    statement = sqlite.insert(friendships).on_conflict_do_nothing()
    count = 0
    with opened(data_dir) as engine:
        for chunk in chunks(pairs):
            for one, other in chunk:
                if one == other:
                    raise AccountsError(f"user {one!r} cannot be its own friend: name two users")
            rows = [{"user": one, "friend": other} for one, other in chunk]
            rows += [{"user": other, "friend": one} for one, other in chunk]
            with engine.begin() as connection:
                require_accounts(connection, {user for pair in chunk for user in pair})
                connection.execute(statement, rows)
            count += len(chunk)
    return count


def group(data_dir: DataDir, name: str, members: Sequence[str], remove: bool = False) -> str:
    """`members` belong to the group, which is made when there is none; with `remove`, they no longer do.

    Returns the group's conversation id, `g:<id>`; `name` may be given with or without the prefix. Raises
    AccountsError for a member without an account, and when there is nothing to remove from.
    """
    conversation = conversation_id(name)
    with opened(data_dir) as engine, engine.begin() as connection:
        if remove:
            _remove(connection, conversation, members)
        else:
            _add(connection, [(conversation, members)])
    return conversation


def groups_bulk(data_dir: DataDir, wanted: Iterable[tuple[str, Sequence[str]]]) -> int:
    """Every (name, members) is a group with at least these members. Returns how many. Raises as `group`."""
    count = 0
    with opened(data_dir) as engine:
        for chunk in chunks(wanted, 500):
            with engine.begin() as connection:
                _add(connection, [(conversation_id(name), members) for name, members in chunk])
            count += len(chunk)
    return count


def conversation_id(name: str) -> str:
    """`g:<id>` of a group named with or without the prefix. Raises AccountsError when it cannot be one."""
    group_id = name.removeprefix(GROUP_PREFIX)
    if not is_valid_user(group_id):
        raise AccountsError(f"group {name!r}: use 1 to 64 bytes, printable, without colon or white space")
    return GROUP_PREFIX + group_id


def _add(connection: Connection, wanted: Sequence[tuple[str, Sequence[str]]]) -> None:
    require_accounts(connection, {user for _, members in wanted for user in members})
    names = [{"name": name} for name, _ in wanted]
    rows = [{"name": name, "user": user} for name, members in wanted for user in members]
    if names:
        connection.execute(sqlite.insert(groups).on_conflict_do_nothing(), names)
    if rows:
        connection.execute(sqlite.insert(group_members).on_conflict_do_nothing(), rows)


def _remove(connection: Connection, name: str, members: Sequence[str]) -> None:
    if connection.execute(select(groups.c.name).where(groups.c.name == name)).first() is None:
        raise AccountsError(f"group {name!r} does not exist: name one that does")
    for user in members:
        row = (group_members.c.name == name) & (group_members.c.user == user)
        if not connection.execute(delete(group_members).where(row)).rowcount:
            raise AccountsError(f"user {user!r} is no member of {name!r}: leave it out")

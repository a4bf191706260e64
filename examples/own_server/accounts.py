"""The users that the suite asks for, in blocks of ten whom nobody has used yet; and a crowd, for load."""

import itertools
import os
from pathlib import Path
from typing import Any

import msgspec

from .store import Store

DAY_S = 24 * 3600


def write(store: Store, out: Path, blocks: int) -> None:
    """Makes ten new users a block and writes who they are to `out`."""
    run = os.urandom(3).hex()
    with store.together():
        made = [_block(store, f"{run}-{number}", number == 0) for number in range(blocks)]
    out.write_bytes(msgspec.json.format(msgspec.json.encode({"format": 1, "blocks": made})))


def _block(store: Store, name: str, with_passwords: bool) -> dict[str, Any]:
    users, group = [f"u{number}-{name}" for number in range(10)], f"g:team-{name}"
    accounts = []
    for number, user in enumerate(users):
        # Hashing is slow on purpose, and one password is enough for the cases about passwords.
        password = os.urandom(8).hex() if with_passwords and number == 0 else None
        store.add_user(user, password)
        token, expired = store.issue_token(user, DAY_S), store.issue_token(user, -DAY_S)
        accounts.append({"user": user, "token": token, "expired_token": expired, "password": password})
    for one, other in itertools.combinations(users[:7], 2):
        store.add_friends(one, other)
    for user in users[:5]:
        store.add_member(group, user)
    return {
        "users": accounts,
        "friends": users[:7],
        "strangers": users[7:],
        "group": group,
        "group_members": users[:5],
        "outsiders": users[5:7],
    }


def write_crowd(store: Store, out: Path, circles: int) -> None:
    """Five new users a circle, all friends and in one group; `user,token` a line."""
    run = os.urandom(3).hex()
    lines = []
    with store.together():
        for circle in range(circles):
            users = [f"c{number}-{run}-{circle}" for number in range(5)]
            for user in users:
                store.add_user(user)
                store.add_member(f"g:{users[0]}", user)
                lines.append(f"{user},{store.issue_token(user, DAY_S)}\n")
            for one, other in itertools.combinations(users, 2):
                store.add_friends(one, other)
    out.write_text("".join(lines))

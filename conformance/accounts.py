"""The accounts file: who the cases may log in as.

    {"format": 1, "blocks": [{"users": [{"user", "token", "expired_token", "password"} × 10],
                              "friends": [7 user ids], "strangers": [3 user ids],
                              "group": "g:…", "group_members": [5 user ids], "outsiders": [2 user ids]}, …]}

Each case takes a block of its own, so that no case sees what another did.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec


class AccountsError(Exception):
    """An accounts file that cannot be used; the text says which, why, and what to do."""


class User(msgspec.Struct, frozen=True, gc=False):
    """An account. `expired_token` was valid once; without it cases about expiry are left out."""

    user: str
    token: str
    expired_token: str = ""
    password: str | None = None


class Block(msgspec.Struct, frozen=True):
    """Ten users. All `friends` may write to each other, nobody may write to `strangers`; `outsiders` are
    friends who are not in `group`, whose members are the first friends."""

    users: Sequence[User]
    friends: Sequence[str]
    strangers: Sequence[str]
    group: str
    group_members: Sequence[str]
    outsiders: Sequence[str]

    def account(self, user: str) -> User:
        """The account of a user id of this block."""
        return next(account for account in self.users if account.user == user)

    def pick(self, count: int) -> list[User]:
        """The first `count` friends."""
        return [self.account(user) for user in self.friends[:count]]

    def members(self) -> list[User]:
        """The members of the group."""
        return [self.account(user) for user in self.group_members]


class _File(msgspec.Struct):
    format: int
    blocks: list[Block]


HOW_TO_MAKE = "make one with: chatproof accounts testbed --data DIR --out FILE"


def load(path: Path) -> list[Block]:
    """The blocks of a file, each complete. Raises AccountsError."""
    try:
        content = msgspec.json.decode(path.read_bytes(), type=_File)
    except OSError as error:
        raise AccountsError(f"accounts file {path}: {error.strerror}; {HOW_TO_MAKE}") from error
    except msgspec.DecodeError as error:
        raise AccountsError(f"accounts file {path}: {error}; {HOW_TO_MAKE}") from error
    if content.format != 1:
        raise AccountsError(f"accounts file {path}: format {content.format}, and only 1 is known")
    if not content.blocks:
        raise AccountsError(f"accounts file {path}: no blocks; {HOW_TO_MAKE}")
    for number, block in enumerate(content.blocks):
        flaw = _flaw(block)
        if flaw:
            raise AccountsError(f"accounts file {path}: block {number}: {flaw}")
    return content.blocks


def _flaw(block: Block) -> str | None:
    known = {account.user for account in block.users}
    wanted = {
        "friends": (block.friends, 7),
        "strangers": (block.strangers, 3),
        "group_members": (block.group_members, 5),
        "outsiders": (block.outsiders, 2),
    }
    for name, (users, count) in wanted.items():
        if len(users) < count:
            return f"{len(users)} {name}, {count} are needed"
        for user in users:
            if user not in known:
                return f"{name} names {user!r}, who is not among users"
    if list(block.group_members) != list(block.friends[: len(block.group_members)]):
        return "the members of the group have to be the first friends, in the same order"
    return None

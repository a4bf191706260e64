"""Ready-made users for a conformance suite: blocks that know nothing of each other."""

import os
import secrets
from itertools import combinations

import msgspec

from refserver.accounts.adding import add
from refserver.accounts.database import DataDir
from refserver.accounts.issuing import private_file
from refserver.accounts.relations import befriend_pairs, conversation_id, groups_bulk
from refserver.tokens import TokenSigner, load_or_create_secret

FORMAT = 1
_FRIENDS = 7
_STRANGERS = 3
_MEMBERS = 5
_BLOCKS_WITH_PASSWORD = 3
_EXPIRED_S = -60.0


class User(msgspec.Struct):
    user: str
    token: str
    expired_token: str
    password: str | None


class Block(msgspec.Struct):
    """Ten users: `friends` of each other, `strangers` without a friend; the first friends are in `group`."""

    users: list[User]
    friends: list[str]
    strangers: list[str]
    group: str
    group_members: list[str]
    outsiders: list[str]


class Testbed(msgspec.Struct):
    format: int
    blocks: list[Block]


def testbed(data_dir: DataDir, blocks: int, out: str | os.PathLike[str], ttl_s: float) -> None:
    """`blocks` new blocks exist and `out` describes them as JSON, for its owner only. Raises AccountsError.

    The first user of each of the first three blocks has a password: checking one is slow on purpose.
    """
    # Random, so that a second testbed in the same directory shares nobody with the first.
    name = f"t{secrets.token_hex(3)}"
    signer = TokenSigner(load_or_create_secret(data_dir))
    made = [
        _block(signer, f"{name}-{number}", number < _BLOCKS_WITH_PASSWORD, ttl_s) for number in range(blocks)
    ]
    users = [user for block in made for user in block.users]
    add(data_dir, [user.user for user in users if user.password is None])
    for user in users:
        if user.password is not None:
            add(data_dir, [user.user], user.password)
    befriend_pairs(data_dir, (pair for block in made for pair in combinations(block.friends, 2)))
    groups_bulk(data_dir, ((block.group, block.group_members) for block in made))
    with private_file(out) as file:
        file.write(msgspec.json.encode(Testbed(FORMAT, made)).decode() + "\n")


def _block(signer: TokenSigner, prefix: str, with_password: bool, ttl_s: float) -> Block:
    names = [f"{prefix}-{number}" for number in range(_FRIENDS + _STRANGERS)]
    password = secrets.token_urlsafe(12) if with_password else None
    users = [
        User(
            user,
            signer.issue(user, ttl_s),
            signer.issue(user, _EXPIRED_S),
            password if user == names[0] else None,
        )
        for user in names
    ]
    friends = names[:_FRIENDS]
    return Block(
        users, friends, names[_FRIENDS:], conversation_id(prefix), friends[:_MEMBERS], friends[_MEMBERS:]
    )

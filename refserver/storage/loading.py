"""What a batch of sends and reads has to know before it is planned, fetched in a handful of steps."""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import BigInteger, String, and_, func, literal_column, select, true
from sqlalchemy.sql.selectable import CTE

from protocol.messages import Message
from protocol.names import is_group
from refserver.storage.repeats import SendKey, StoredSend, first_answers
from refserver.storage.schema import accounts, contacts, friendships, group_members, groups, inbox, messages
from refserver.storage.statements import Lookup

# Written out: in a lookup the keys are the only parameters.
_ZERO: Any = literal_column("0")

ReadKey = tuple[str, str, int]
"""(owner, conversation, sequence read up to)"""


class Wanted(msgspec.Struct):
    """Questions. `conversations`: names that are not known yet; `users`: whose version is not known yet."""

    sends: list[SendKey]
    reads: list[ReadKey]
    conversations: list[str]
    users: list[str]


class ReadState(msgspec.Struct, array_like=True, frozen=True):
    """A contact row, and how many of its received entries lie beyond the sequence that was asked for."""

    owner: str
    conversation: str
    asked: int
    mid: int
    newest: int
    at_ms: int
    unread: int
    read_sequence: int
    beyond: int
    total_unread: int


class Loaded(msgspec.Struct):
    """Answers; what does not exist is missing.

    `first_answers`: of sends that are stored already. `newest_sequence`: of conversations, 0 when empty.
    `members`: of groups. `friends`: names of conversations between friends. `versions`: of existing users.
    """

    first_answers: dict[SendKey, Message]
    reads: dict[ReadKey, ReadState]
    newest_sequence: dict[str, int]
    members: dict[str, list[str]]
    friends: set[str]
    versions: dict[str, int]


def _rows_of_sends(keys: CTE) -> Any:
    # The sender's own inbox row holds the version that the first answer carried. As a subquery, because
    # joined it tempts the planner to walk through the whole inbox of each sender.
    version = select(inbox.c.version).where(
        inbox.c.owner == messages.c.sender,
        inbox.c.conversation == messages.c.conversation,
        inbox.c.sequence == messages.c.sequence,
    )
    asked = and_(
        messages.c.sender == keys.c.sender,
        messages.c.device == keys.c.device,
        messages.c.cid == keys.c.cid,
    )
    return select(
        messages.c.sender, messages.c.device, messages.c.cid, messages.c.item, messages.c.mid,
        messages.c.conversation, messages.c.sequence, version.scalar_subquery().label("version"),
        messages.c.at_ms,
    ).select_from(keys.join(messages, asked))  # fmt: skip


def _rows_of_reads(keys: CTE) -> Any:
    beyond = (
        select(func.count())
        .select_from(inbox)
        .where(
            inbox.c.owner == keys.c.owner,
            inbox.c.conversation == keys.c.conversation,
            inbox.c.sequence > keys.c.sequence,
            inbox.c.received == true(),
        )
    )
    of_owner = contacts.alias()
    total = select(func.sum(of_owner.c.unread)).where(of_owner.c.owner == keys.c.owner)
    row = and_(contacts.c.owner == keys.c.owner, contacts.c.conversation == keys.c.conversation)
    return select(
        contacts.c.owner, contacts.c.conversation, keys.c.sequence, contacts.c.mid,
        contacts.c.sequence.label("newest"), contacts.c.at_ms, contacts.c.unread, contacts.c.read_sequence,
        beyond.scalar_subquery().label("beyond"), total.scalar_subquery().label("total"),
    ).select_from(keys.join(contacts, row))  # fmt: skip


def _version(of: Any) -> Any:
    return func.coalesce(
        select(func.max(inbox.c.version)).where(inbox.c.owner == of).scalar_subquery(), _ZERO
    )


_sends = Lookup({"sender": String(), "device": String(), "cid": String()}, _rows_of_sends, StoredSend)
_reads = Lookup(
    {"owner": String(), "conversation": String(), "sequence": BigInteger()}, _rows_of_reads, ReadState
)
_versions = Lookup(
    {"user": String()},
    lambda keys: select(accounts.c.user, _version(accounts.c.user)).join(
        keys, accounts.c.user == keys.c.user
    ),
    tuple[str, int],
)
_friends = Lookup(
    {"user": String(), "friend": String()},
    lambda keys: select(friendships.c.user, friendships.c.friend).join(
        keys, and_(friendships.c.user == keys.c.user, friendships.c.friend == keys.c.friend)
    ),
    tuple[str, str],
)
_groups = Lookup(
    {"name": String()},
    lambda keys: select(groups.c.name).join(keys, groups.c.name == keys.c.name),
    tuple[str],
)
_members = Lookup(
    {"name": String()},
    lambda keys: select(group_members.c.name, group_members.c.user).join(
        keys, group_members.c.name == keys.c.name
    ),
    tuple[str, str],
)
_sequences = Lookup(
    {"conversation": String()},
    lambda keys: select(
        keys.c.conversation,
        func.coalesce(
            select(func.max(messages.c.sequence))
            .where(messages.c.conversation == keys.c.conversation)
            .scalar_subquery(),
            _ZERO,
        ),
    ),
    tuple[str, int],
)


def load(cursor: Any, wanted: Wanted) -> Loaded:
    """Everything that `wanted` asks for, from one snapshot if the caller holds a transaction."""
    loaded = Loaded({}, {}, {}, {}, set(), {})
    users = set(wanted.users)
    if wanted.conversations:
        _load_conversations(cursor, wanted.conversations, loaded, users)
    if users:
        loaded.versions = dict(_versions(cursor, [(user,) for user in users]))
    if wanted.sends:
        loaded.first_answers = first_answers(_sends(cursor, wanted.sends))
    if wanted.reads:
        loaded.reads = {(row.owner, row.conversation, row.asked): row for row in _reads(cursor, wanted.reads)}
    return loaded


def versions(cursor: Any, users: Iterable[str]) -> dict[str, int]:
    """The newest inbox version of each user that has an account."""
    return dict(_versions(cursor, [(user,) for user in users]))


def _load_conversations(cursor: Any, names: list[str], loaded: Loaded, users: set[str]) -> None:
    keys = [(name,) for name in names]
    loaded.newest_sequence = dict(_sequences(cursor, keys))
    pairs = [tuple(name.split(":")) for name in names if not is_group(name)]
    if pairs:
        loaded.friends = {f"{user}:{friend}" for user, friend in _friends(cursor, pairs)}
        users.update(user for pair in pairs for user in pair)
    named = [(name,) for name in names if is_group(name)]
    if named:
        loaded.members = {name: [] for (name,) in _groups(cursor, named)}
        # A name may have been asked for twice to fill a statement, hence the set.
        for name, user in set(_members(cursor, named)):
            loaded.members[name].append(user)
            users.add(user)

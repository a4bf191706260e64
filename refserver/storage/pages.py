"""What users read of their inbox, history, contacts and counts. Each question is one step in the store."""

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import bindparam, func, literal, or_, select

from protocol.errors import ErrorCode
from protocol.limits import MAX_PAGE_BYTES, MAX_PAGE_ENTRIES
from protocol.messages import (
    Contact,
    ContactList,
    Contacts,
    Entry,
    Error,
    History,
    HistoryPage,
    Message,
    Pull,
    Pulled,
    Unread,
    UnreadCounts,
    UnreadOf,
)
from protocol.names import is_group, peer_in
from refserver.storage import sqlite
from refserver.storage.schema import contacts, friendships, group_members, inbox, messages

_ANY = 2**63 - 1


class _StoredEntry(msgspec.Struct, array_like=True):
    version: int
    mid: int
    conversation: str
    sequence: int
    sender: str
    kind: str
    body: str
    at_ms: int


class _Statement:
    """One row of scalar columns; parameters are given by name."""

    def __init__(self, *columns: Any) -> None:
        compiled = select(*columns).compile(dialect=sqlite.DIALECT)
        self._text = str(compiled)
        self._fixed = compiled.params
        self._names = compiled.positiontup or []

    def __call__(self, cursor: Any, **given: Any) -> Any:
        values = {**self._fixed, **given}
        return cursor.execute(self._text, [values[name] for name in self._names]).fetchone()


def _page(newest_first: bool, order: Any, *conditions: Any) -> Any:
    """Up to :count entries, as many as fit MAX_PAGE_BYTES of bodies. One alone always fits."""
    size = func.length(messages.c.body).label("size")
    asked = (
        select(inbox.c.version, inbox.c.mid, inbox.c.conversation, inbox.c.sequence, size)
        .select_from(inbox.join(messages, inbox.c.mid == messages.c.mid))
        .where(inbox.c.owner == bindparam("user"), *conditions)
        .order_by(order.desc() if newest_first else order)
        .limit(bindparam("count"))
        .subquery()
    )
    column = asked.c[order.name]
    running = func.sum(asked.c.size).over(order_by=column.desc() if newest_first else column)
    sized = select(asked, running.label("running")).subquery()
    chosen = (
        select(
            sized.c.version, sized.c.mid, sized.c.conversation, sized.c.sequence,
            messages.c.sender, messages.c.kind, messages.c.body, messages.c.at_ms,
        )
        .select_from(sized.join(messages, sized.c.mid == messages.c.mid))
        .where(sized.c.running <= MAX_PAGE_BYTES)
    )  # fmt: skip
    return sqlite.packed(chosen).scalar_subquery()


def _of_user(table: Any) -> Any:
    return table.c.owner == bindparam("user")


_in_conversation = inbox.c.conversation == bindparam("conversation")
_pull = _Statement(
    _page(False, inbox.c.version, inbox.c.version > bindparam("after")),
    func.coalesce(select(func.max(inbox.c.version)).where(_of_user(inbox)).scalar_subquery(), 0),
)
_history = _Statement(
    _page(True, inbox.c.sequence, _in_conversation, inbox.c.sequence < bindparam("before")),
    select(func.min(inbox.c.sequence)).where(_of_user(inbox), _in_conversation).scalar_subquery(),
)
_counts = _Statement(
    sqlite.packed(
        select(contacts.c.conversation, contacts.c.unread).where(_of_user(contacts), contacts.c.unread > 0)
    ).scalar_subquery()
)
_contacts = _Statement(
    sqlite.packed(
        select(
            contacts.c.conversation, contacts.c.mid, contacts.c.sequence, contacts.c.at_ms, contacts.c.unread
        )
        .where(_of_user(contacts), contacts.c.mid < bindparam("after"))
        .order_by(contacts.c.mid.desc())
        .limit(bindparam("count"))
    ).scalar_subquery()
)
_is_party = _Statement(
    or_(
        select(literal(1))
        .where(group_members.c.name == bindparam("conversation"), group_members.c.user == bindparam("user"))
        .exists(),
        select(literal(1))
        .where(friendships.c.user == bindparam("user"), friendships.c.friend == bindparam("friend"))
        .exists(),
    )
)

_decode_entries = msgspec.json.Decoder(list[_StoredEntry]).decode
_decode_contacts = msgspec.json.Decoder(list[tuple[str, int, int, int, int]]).decode
_decode_counts = msgspec.json.Decoder(list[tuple[str, int]]).decode


def _entries(packed: str) -> list[Entry]:
    return [
        Entry(
            row.version, row.mid, row.conversation, row.sequence, row.sender, row.kind,
            bytes.fromhex(row.body), row.at_ms,
        )
        for row in _decode_entries(packed)
    ]  # fmt: skip


def _count(limit: int) -> int:
    """0 asks for as many as a page holds."""
    return min(limit or MAX_PAGE_ENTRIES, MAX_PAGE_ENTRIES)


def pull(cursor: Any, user: str, asked: Pull) -> Message:
    """PULLED: entries after a version, oldest first (DLV.4)."""
    packed, newest = _pull(cursor, user=user, after=asked.after, count=_count(asked.limit))
    entries = sorted(_entries(packed), key=lambda entry: entry.version)
    return Pulled(entries, newest, bool(entries) and entries[-1].version < newest)


def history(cursor: Any, user: str, asked: History) -> Message:
    """HISTORY_PAGE of the user's own inbox, newest first (STO.2); 403 alike for what is not theirs and for
    what does not exist, so that guessing tells nothing (SEC.5)."""
    conversation = asked.conversation
    packed, oldest = _history(
        cursor, user=user, conversation=conversation, before=asked.before or _ANY, count=_count(asked.limit)
    )
    if oldest is None and not _may_talk(cursor, user, conversation):
        return Error(ErrorCode.NOT_PERMITTED, "not a conversation of yours")
    entries = sorted(_entries(packed), key=lambda entry: -entry.sequence)
    return HistoryPage(entries, bool(entries) and entries[-1].sequence > oldest)


def _may_talk(cursor: Any, user: str, conversation: str) -> bool:
    friend = "" if is_group(conversation) else peer_in(conversation, user)
    if friend and user not in conversation.split(":"):
        return False
    return bool(_is_party(cursor, user=user, conversation=conversation, friend=friend)[0])


def unread(cursor: Any, user: str, asked: Unread) -> Message:
    """UNREAD_COUNTS: the total is the sum of the counts (UNR.1)."""
    counts = [UnreadOf(*row) for row in _decode_counts(_counts(cursor, user=user)[0])]
    return UnreadCounts(sum(count.unread for count in counts), counts)


def recent_contacts(cursor: Any, user: str, asked: Contacts) -> Message:
    """CONTACT_LIST: most recent first (STO.3)."""
    packed = _contacts(cursor, user=user, after=asked.after or _ANY, count=_count(asked.limit))[0]
    rows = sorted(_decode_contacts(packed), key=lambda row: -row[1])
    return ContactList([Contact(peer_in(conversation, user), *rest) for conversation, *rest in rows])


ANSWERS: dict[type[Message], Callable[[Any, str, Any], Message]] = {
    Pull: pull,
    History: history,
    Unread: unread,
    Contacts: recent_contacts,
}

"""What users read of their inbox, history, contacts and counts: many questions in one step of the store."""

from collections.abc import Sequence
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
from refserver.storage.questions import Asked, Question
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


def _pulled(user: str, asked: Pull, packed: str, newest: int) -> Message:
    entries = sorted(_entries(packed), key=lambda entry: entry.version)
    return Pulled(entries, newest, bool(entries) and entries[-1].version < newest)


_PULL = Question(
    [
        _page(False, inbox.c.version, inbox.c.version > bindparam("after")),
        func.coalesce(select(func.max(inbox.c.version)).where(_of_user(inbox)).scalar_subquery(), 0),
    ],
    lambda user, asked: {"after": asked.after, "count": _count(asked.limit)},
    _pulled,
)


def _history_given(user: str, asked: History) -> dict[str, Any]:
    name = asked.conversation
    # Whoever is not named in a pair is nobody's friend in it.
    friend = "" if is_group(name) or user not in name.split(":") else peer_in(name, user)
    return {
        "conversation": name,
        "before": asked.before or _ANY,
        "count": _count(asked.limit),
        "friend": friend,
    }


def _history_page(user: str, asked: History, packed: str, oldest: int | None, is_party: int) -> Message:
    if oldest is None and not is_party:
        # The same for what is another's and for what does not exist: guessing tells nothing (SEC.5).
        return Error(ErrorCode.NOT_PERMITTED, "not a conversation of yours")
    entries = sorted(_entries(packed), key=lambda entry: -entry.sequence)
    return HistoryPage(entries, bool(entries) and entries[-1].sequence > (oldest or 0))


_HISTORY = Question(
    [
        _page(True, inbox.c.sequence, _in_conversation, inbox.c.sequence < bindparam("before")),
        select(func.min(inbox.c.sequence)).where(_of_user(inbox), _in_conversation).scalar_subquery(),
        or_(
            select(literal(1))
            .where(
                group_members.c.name == bindparam("conversation"), group_members.c.user == bindparam("user")
            )
            .exists(),
            select(literal(1))
            .where(friendships.c.user == bindparam("user"), friendships.c.friend == bindparam("friend"))
            .exists(),
        ),
    ],
    _history_given,
    _history_page,
)


def _unread_counts(user: str, asked: Unread, packed: str) -> Message:
    counts = [UnreadOf(*row) for row in _decode_counts(packed)]
    return UnreadCounts(sum(count.unread for count in counts), counts)


_UNREAD = Question(
    [
        sqlite.packed(
            select(contacts.c.conversation, contacts.c.unread).where(
                _of_user(contacts), contacts.c.unread > 0
            )
        ).scalar_subquery()
    ],
    lambda user, asked: {},
    _unread_counts,
)


def _contact_list(user: str, asked: Contacts, packed: str) -> Message:
    rows = sorted(_decode_contacts(packed), key=lambda row: -row[1])
    return ContactList([Contact(peer_in(conversation, user), *rest) for conversation, *rest in rows])


_CONTACTS = Question(
    [
        sqlite.packed(
            select(
                contacts.c.conversation,
                contacts.c.mid,
                contacts.c.sequence,
                contacts.c.at_ms,
                contacts.c.unread,
            )
            .where(_of_user(contacts), contacts.c.mid < bindparam("after"))
            .order_by(contacts.c.mid.desc())
            .limit(bindparam("count"))
        ).scalar_subquery()
    ],
    lambda user, asked: {"after": asked.after or _ANY, "count": _count(asked.limit)},
    _contact_list,
)

QUESTIONS: dict[type[Message], Question] = {
    Pull: _PULL,
    History: _HISTORY,
    Unread: _UNREAD,
    Contacts: _CONTACTS,
}


def answer(cursor: Any, questions: Sequence[Asked]) -> list[Message]:
    """PULLED (DLV.4), HISTORY_PAGE (STO.2), UNREAD_COUNTS (UNR.1) or CONTACT_LIST (STO.3) to each question;
    503 to all of a kind that cannot be read now.
    """
    places: dict[type[Message], list[int]] = {}
    for place, (_, message) in enumerate(questions):
        places.setdefault(type(message), []).append(place)
    answers: dict[int, Message] = {}
    for kind, of_kind in places.items():
        try:
            found = QUESTIONS[kind].ask(cursor, [questions[place] for place in of_kind])
        except Exception as error:
            if not sqlite.is_outage(error):
                raise
            found = [Error(ErrorCode.OVERLOADED, "the store cannot be read now")] * len(of_kind)
        answers.update(zip(of_kind, found, strict=True))
    return [answers[place] for place in range(len(questions))]

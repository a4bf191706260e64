"""One group commit: all rows of a batch, or none of them (ARC.2)."""

from collections.abc import Callable
from typing import Any

import msgspec

from refserver.storage.schema import contacts, inbox, messages
from refserver.storage.statements import Insert


class Rows(msgspec.Struct):
    """Flat lists of values in the order of the columns.

    `reads`: whole contact rows as they are after a read. `contacts`: rows whose `unread` is to be added.
    """

    messages: list[Any]
    inbox: list[Any]
    contacts: list[Any]
    reads: list[Any]

    def is_empty(self) -> bool:
        """True when there is nothing to commit."""
        return not (self.messages or self.reads)

    @property
    def count(self) -> int:
        """How many rows there are."""
        tables = (
            (self.messages, messages),
            (self.inbox, inbox),
            (self.contacts, contacts),
            (self.reads, contacts),
        )
        return sum(len(values) // len(table.columns) for values, table in tables)


_messages = Insert(messages)
_inbox = Insert(inbox)
_contacts = Insert(contacts, replaced=("mid", "sequence", "at_ms"), added=("unread",))
_reads = Insert(contacts, replaced=("unread", "read_sequence"))


def write(cursor: Any, rows: Rows, before_commit: Callable[[], None] | None = None) -> None:
    """Commits `rows` durably. On any error the transaction is rolled back and nothing of it is there; that
    of `before_commit` is one."""
    cursor.execute("BEGIN IMMEDIATE")
    try:
        _messages(cursor, rows.messages)
        _inbox(cursor, rows.inbox)
        # A read was planned against what was stored before this batch, so it goes first.
        _reads(cursor, rows.reads)
        _contacts(cursor, rows.contacts)
        if before_commit is not None:
            before_commit()
        cursor.execute("COMMIT")
    except BaseException:
        # SQLite has rolled back by itself after some errors (a full disk).
        if cursor.connection.in_transaction:
            cursor.execute("ROLLBACK")
        raise

"""The store: one SQLite file. What belongs together is one transaction, durable when a method returns."""

import hashlib
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from .messages import (
    Contact,
    ContactList,
    Entry,
    History,
    HistoryPage,
    Item,
    PackageSent,
    Placed,
    Pull,
    Pulled,
    Read,
    ReadUpdate,
    Refused,
    Send,
    SendPackage,
    Sent,
    UnreadCounts,
    UnreadOf,
)

KINDS = {"text", "image", "audio", "video", "file", "custom"}
MAX_MESSAGE, MAX_PAGE, MAX_PAGE_BYTES = 64 << 10, 1000, 768 << 10

SCHEMA = """
CREATE TABLE IF NOT EXISTS users (user TEXT PRIMARY KEY, version INTEGER NOT NULL DEFAULT 0, password BLOB);
CREATE TABLE IF NOT EXISTS tokens (hash BLOB PRIMARY KEY, user TEXT NOT NULL, expires_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS friends (user TEXT, friend TEXT, PRIMARY KEY (user, friend)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS members (team TEXT, user TEXT, PRIMARY KEY (team, user)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS messages (
    mid INTEGER PRIMARY KEY, conversation TEXT NOT NULL, sequence INTEGER NOT NULL, sender TEXT NOT NULL,
    kind TEXT NOT NULL, body BLOB NOT NULL, at_ms INTEGER NOT NULL, UNIQUE (conversation, sequence));
CREATE TABLE IF NOT EXISTS inbox (
    user TEXT, version INTEGER, conversation TEXT NOT NULL, sequence INTEGER NOT NULL, mid INTEGER NOT NULL,
    PRIMARY KEY (user, version), UNIQUE (user, conversation, sequence)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS contacts (
    user TEXT, conversation TEXT, peer TEXT NOT NULL, mid INTEGER NOT NULL, sequence INTEGER NOT NULL,
    at_ms INTEGER NOT NULL, unread INTEGER NOT NULL DEFAULT 0, read_to INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (user, conversation)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sends (
    user TEXT, device TEXT, cid TEXT, package INTEGER NOT NULL, answer BLOB NOT NULL,
    PRIMARY KEY (user, device, cid)) WITHOUT ROWID;
"""
ENTRY = (
    "SELECT i.version, mid, m.conversation, m.sequence, sender, kind, body, at_ms"
    " FROM inbox i JOIN messages m USING (mid)"
)
Answer = Sent | PackageSent
Deliveries = list[tuple[str, Entry]]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def hashed(password: str, salt: bytes) -> bytes:
    """Slow and memory-hard on purpose."""
    return salt + hashlib.scrypt(password.encode(), salt=salt, n=1 << 14, r=8, p=1)


class Store:
    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, timeout=30)
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + SCHEMA)

    @contextmanager
    def together(self) -> Iterator[None]:
        """All or nothing, and on disk afterwards."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _one(self, sql: str, *values: Any) -> Any:
        return self._db.execute(sql, values).fetchone()

    def _all(self, sql: str, *values: Any) -> list[Any]:
        return self._db.execute(sql, values).fetchall()

    # -- who is who

    def add_user(self, user: str, password: str | None = None) -> None:
        kept = None if password is None else hashed(password, os.urandom(16))
        self._db.execute("INSERT INTO users (user, password) VALUES (?, ?)", (user, kept))

    def add_friends(self, one: str, other: str) -> None:
        self._db.executemany("INSERT INTO friends VALUES (?, ?)", [(one, other), (other, one)])

    def add_member(self, group: str, user: str) -> None:
        self._db.execute("INSERT INTO members VALUES (?, ?)", (group, user))

    def issue_token(self, user: str, ttl_s: int) -> str:
        token = os.urandom(24).hex()
        row = hashlib.sha256(token.encode()).digest(), user, now_ms() + ttl_s * 1000
        self._db.execute("INSERT INTO tokens VALUES (?, ?, ?)", row)
        return token

    def user_of(self, token: str) -> str:
        digest = hashlib.sha256(token.encode()).digest()
        found = self._one("SELECT user FROM tokens WHERE hash = ? AND expires_ms > ?", digest, now_ms())
        if found is None:
            raise Refused(401, "the token is refused")
        return str(found[0])

    def password_of(self, user: str) -> bytes:
        """Salt and hash; of nobody's password for who has none, so that checking it takes as long."""
        found = self._one("SELECT password FROM users WHERE user = ?", user)
        return found[0] if found and found[0] else bytes(80)

    def newest(self, user: str) -> int:
        return int(self._one("SELECT version FROM users WHERE user = ?", user)[0])

    # -- sending

    def send(self, user: str, device: str, asked: Send | SendPackage) -> tuple[Answer, Deliveries]:
        """The answer, and what to push to whom: nothing when the answer was given before."""
        items = [Item(asked.kind, asked.body)] if isinstance(asked, Send) else asked.items
        with self.together():
            known = self._answer_before(user, device, asked.cid)
            if known is not None:
                return known, []
            conversation, parties = self._parties(user, asked.to)
            for item in items:
                if item.kind not in KINDS:
                    raise Refused(415, f"there is no kind {item.kind!r}")
                if len(item.body) > MAX_MESSAGE:
                    raise Refused(413, f"a message has at most {MAX_MESSAGE} bytes")
            at_ms = now_ms()
            placed, deliveries, version = [], [], 0
            for item in items:
                mid, sequence = self._add(conversation, user, item, at_ms)
                placed.append(Placed(mid, sequence))
                for party, peer in parties:
                    entry = Entry(0, mid, conversation, sequence, user, item.kind, item.body, at_ms)
                    entry.version = self._file(party, peer, entry)
                    deliveries.append((party, entry))
                    version = entry.version if party == user else version
            answer: Answer = PackageSent(asked.cid, conversation, placed, version, at_ms)
            if isinstance(asked, Send):
                answer = Sent(asked.cid, placed[0].mid, conversation, placed[0].sequence, version, at_ms)
            is_package = isinstance(answer, PackageSent)
            row = (user, device, asked.cid, is_package, msgspec.msgpack.encode(answer))
            self._db.execute("INSERT INTO sends VALUES (?, ?, ?, ?, ?)", row)
        return answer, deliveries

    def _answer_before(self, user: str, device: str, cid: str) -> Answer | None:
        sql = "SELECT package, answer FROM sends WHERE user = ? AND device = ? AND cid = ?"
        found = self._one(sql, user, device, cid)
        if found is None:
            return None
        if found[0]:
            return msgspec.msgpack.decode(found[1], type=PackageSent)
        return msgspec.msgpack.decode(found[1], type=Sent)

    def _parties(self, user: str, to: str) -> tuple[str, list[tuple[str, str]]]:
        """The conversation's name, and who has it in his inbox under whose name. Raises Refused."""
        if to.startswith("g:"):
            members = [row[0] for row in self._all("SELECT user FROM members WHERE team = ?", to)]
            if not members:
                raise Refused(404, f"there is no group {to}")
            if user not in members:
                raise Refused(403, f"you are not in {to}")
            return to, [(member, to) for member in members]
        if self._one("SELECT 1 FROM users WHERE user = ?", to) is None:
            raise Refused(404, f"there is nobody called {to}")
        if self._one("SELECT 1 FROM friends WHERE user = ? AND friend = ?", user, to) is None:
            raise Refused(403, f"you may not write to {to}")
        return ":".join(sorted((user, to))), [(user, to), (to, user)]

    def _add(self, conversation: str, sender: str, item: Item, at_ms: int) -> tuple[int, int]:
        last = self._one("SELECT max(sequence) FROM messages WHERE conversation = ?", conversation)[0]
        sequence = (last or 0) + 1
        row = (conversation, sequence, sender, item.kind, item.body, at_ms)
        added = self._db.execute("INSERT INTO messages VALUES (NULL, ?, ?, ?, ?, ?, ?)", row)
        assert added.lastrowid is not None
        return added.lastrowid, sequence

    def _file(self, party: str, peer: str, entry: Entry) -> int:
        """Inbox row, contact and unread count of one party; the version in that inbox."""
        sql = "UPDATE users SET version = version + 1 WHERE user = ? RETURNING version"
        version = int(self._one(sql, party)[0])
        row = (party, version, entry.conversation, entry.sequence, entry.mid)
        self._db.execute("INSERT INTO inbox VALUES (?, ?, ?, ?, ?)", row)
        unread = int(party != entry.sender)
        self._db.execute(
            "INSERT INTO contacts VALUES (?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT DO UPDATE SET"
            " mid = excluded.mid, sequence = excluded.sequence, at_ms = excluded.at_ms,"
            " unread = unread + excluded.unread",
            (party, entry.conversation, peer, entry.mid, entry.sequence, entry.at_ms, unread),
        )
        return version

    # -- asking

    def pull(self, user: str, asked: Pull) -> Pulled:
        sql = f"{ENTRY} WHERE i.user = ? AND i.version > ? ORDER BY i.version"
        entries, more = self._page(sql, (user, asked.after), asked.limit)
        return Pulled(entries, self.newest(user), more)

    def history(self, user: str, asked: History) -> HistoryPage:
        self._contact(user, asked.conversation)
        sql = f"{ENTRY} WHERE i.user = ? AND i.conversation = ? AND i.sequence < ? ORDER BY i.sequence DESC"
        entries, more = self._page(sql, (user, asked.conversation, asked.before or 2**63 - 1), asked.limit)
        return HistoryPage(entries, more)

    def _page(self, sql: str, values: tuple[Any, ...], limit: int) -> tuple[list[Entry], bool]:
        entries: list[Entry] = []
        size, limit = 0, min(limit, MAX_PAGE)
        for row in self._db.execute(f"{sql} LIMIT {limit + 1}", values):
            size += len(row[6])
            if len(entries) == limit or size > MAX_PAGE_BYTES:
                return entries, True
            entries.append(Entry(*row))
        return entries, False

    def contacts(self, user: str, after: int, limit: int) -> ContactList:
        sql = (
            "SELECT peer, mid, sequence, at_ms, unread FROM contacts WHERE user = ? AND mid < ?"
            " ORDER BY mid DESC LIMIT ?"
        )
        rows = self._all(sql, user, after or 2**63 - 1, min(limit, MAX_PAGE))
        return ContactList([Contact(*row) for row in rows])

    # -- unread counts

    def _contact(self, user: str, conversation: str) -> tuple[int, int, int]:
        """Newest sequence, read up to, unread. Raises Refused for what is not a conversation of the user."""
        sql = "SELECT sequence, read_to, unread FROM contacts WHERE user = ? AND conversation = ?"
        found = self._one(sql, user, conversation)
        if found is None:
            raise Refused(404, "you have no such conversation")
        return found  # type: ignore[no-any-return]

    def unread(self, user: str) -> UnreadCounts:
        rows = self._all("SELECT conversation, unread FROM contacts WHERE user = ? AND unread > 0", user)
        counts = [UnreadOf(*row) for row in rows]
        return UnreadCounts(sum(count.unread for count in counts), counts)

    def read(self, user: str, asked: Read) -> tuple[ReadUpdate, bool]:
        """How far it is read now, and whether that is further than before."""
        with self.together():
            newest, read_to, unread = self._contact(user, asked.conversation)
            upto = min(asked.sequence, newest)
            if is_further := upto > read_to:
                sql = "SELECT count(*) FROM messages WHERE conversation = ? AND sequence > ? AND sender <> ?"
                unread, read_to = self._one(sql, asked.conversation, upto, user)[0], upto
                sql = "UPDATE contacts SET unread = ?, read_to = ? WHERE user = ? AND conversation = ?"
                self._db.execute(sql, (unread, read_to, user, asked.conversation))
        return ReadUpdate(asked.conversation, read_to, unread, self.unread(user).total), is_further

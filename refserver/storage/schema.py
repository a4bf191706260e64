"""The tables, described once. What can be derived is not stored: a user's version is the greatest of the
inbox, the unread total the sum over the contacts.

    accounts, friendships, groups, group_members     who may talk to whom
    messages                                         each message once (STO.1)
    inbox                                            one row for each party, sender included (STO.2)
    contacts                                         one row for each party and conversation (STO.3)
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
)

# SQLite keys a table by its primary key itself only if that is declared INTEGER.
_Key = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData()

accounts = Table(
    "accounts",
    metadata,
    Column("user", String(64), primary_key=True),
    Column("password_hash", String, nullable=True),
    Column("created_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

friendships = Table(
    "friendships",
    metadata,
    Column("user", String(64), primary_key=True),
    Column("friend", String(64), primary_key=True),
    sqlite_with_rowid=False,
)

groups = Table(
    "groups",
    metadata,
    Column("name", String(129), primary_key=True),
    sqlite_with_rowid=False,
)

group_members = Table(
    "group_members",
    metadata,
    Column("name", String(129), primary_key=True),
    Column("user", String(64), primary_key=True),
    sqlite_with_rowid=False,
)

messages = Table(
    "messages",
    metadata,
    Column("mid", _Key, primary_key=True, autoincrement=False),
    Column("conversation", String(129), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("sender", String(64), nullable=False),
    Column("device", String(64), nullable=False),
    Column("cid", String(64), nullable=False),
    # 0: sent alone; 1 and on: its place in a package. So the first answer can be given again exactly.
    Column("item", SmallInteger, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    UniqueConstraint("conversation", "sequence"),
    UniqueConstraint("sender", "device", "cid", "item"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("owner", String(64), primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("conversation", String(129), nullable=False),
    Column("received", Boolean, nullable=False),
    Column("mid", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Index("inbox_history", "owner", "conversation", "sequence"),
    sqlite_with_rowid=False,
)

contacts = Table(
    "contacts",
    metadata,
    Column("owner", String(64), primary_key=True),
    Column("conversation", String(129), primary_key=True),
    Column("mid", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("unread", BigInteger, nullable=False),
    Column("read_sequence", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

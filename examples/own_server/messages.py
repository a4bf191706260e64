"""The protocol's table of messages: a struct each, its fields in the order in which they travel."""

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

N = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Seconds = Annotated[int, Meta(ge=0, le=3600)]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
Address = Annotated[str, Meta(min_length=1, max_length=129)]


class Refused(Exception):
    """What was asked for is not done; `code` is one of the protocol's."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


class Message(msgspec.Struct, array_like=True):
    TYPE: ClassVar[int]


class Login(Message):
    TYPE = 0x01
    token: Annotated[str, Meta(max_length=1024)]
    device: Name
    platform: Annotated[str, Meta(max_length=64)] = ""
    version: N = 0
    heartbeat_s: Seconds = 0
    features: Annotated[list[Name], Meta(max_length=16)] = []


class LoggedIn(Message):
    TYPE = 0x02
    user: str
    session: int
    version: int
    heartbeat_s: int
    features: list[str]
    server_time_ms: int
    node: str


class Ping(Message):
    TYPE = 0x03
    heartbeat_s: Seconds | None = None


class Pong(Message):
    TYPE = 0x04
    version: int
    heartbeat_s: int


class Send(Message):
    TYPE = 0x10
    cid: Name
    to: Address
    kind: Name
    body: bytes
    sent_at_ms: N = 0


class Sent(Message):
    TYPE = 0x11
    cid: str
    mid: int
    conversation: str
    sequence: int
    version: int
    at_ms: int


class Item(msgspec.Struct, array_like=True):
    kind: Name
    body: bytes


class SendPackage(Message):
    TYPE = 0x12
    cid: Name
    to: Address
    items: Annotated[list[Item], Meta(min_length=1, max_length=100)]


class Placed(msgspec.Struct, array_like=True):
    mid: int
    sequence: int


class PackageSent(Message):
    TYPE = 0x13
    cid: str
    conversation: str
    placed: list[Placed]
    version: int
    at_ms: int


class Entry(msgspec.Struct, array_like=True):
    version: int
    mid: int
    conversation: str
    sequence: int
    sender: str
    kind: str
    body: bytes
    at_ms: int


class Pushed(Message):
    TYPE = 0x21
    version: N


class Pull(Message):
    TYPE = 0x22
    after: N
    limit: N


class Pulled(Message):
    TYPE = 0x23
    entries: list[Entry]
    newest: int
    more: bool


class Read(Message):
    TYPE = 0x30
    conversation: Address
    sequence: N


class ReadUpdate(Message):
    TYPE = 0x31
    conversation: str
    sequence: int
    unread: int
    total_unread: int


class Unread(Message):
    TYPE = 0x32


class UnreadOf(msgspec.Struct, array_like=True):
    conversation: str
    unread: int


class UnreadCounts(Message):
    TYPE = 0x33
    total: int
    counts: list[UnreadOf]


class Contacts(Message):
    TYPE = 0x34
    after: N
    limit: N


class Contact(msgspec.Struct, array_like=True):
    peer: str
    mid: int
    sequence: int
    at_ms: int
    unread: int


class ContactList(Message):
    TYPE = 0x35
    contacts: list[Contact]


class History(Message):
    TYPE = 0x36
    conversation: Address
    before: N
    limit: N


class HistoryPage(Message):
    TYPE = 0x37
    entries: list[Entry]
    more: bool


class GoAway(Message):
    TYPE = 0x40
    reason: str


class Bye(Message):
    TYPE = 0x41


class Error(Message):
    TYPE = 0x7F
    code: int
    text: str
    cid: str | None = None
    fatal: bool = False

"""What the body of each frame means: one frozen struct a message, its fields in wire order.

Bodies are MessagePack arrays (msgspec, array_like): a peer may append fields, which are ignored here; a
missing field with a default takes it. `TYPE` is the frame's type byte. Times ending in `_ms` are Unix
milliseconds; `heartbeat_s` whole seconds; `version`, `sequence` and `mid` fit a signed 64-bit integer.
"""

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from protocol.errors import RemoteProtocolError
from protocol.limits import MAX_HEARTBEAT_S, MAX_PACKAGE_ITEMS, MAX_TOKEN_CHARS

Name = Annotated[str, Meta(min_length=1, max_length=64)]
Address = Annotated[str, Meta(min_length=1, max_length=129)]
Text = Annotated[str, Meta(max_length=1024)]
Token = Annotated[str, Meta(max_length=MAX_TOKEN_CHARS)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Heartbeat = Annotated[int, Meta(ge=0, le=MAX_HEARTBEAT_S)]
Features = Annotated[list[Name], Meta(max_length=16)]


class Message(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Base of all messages. No struct can be part of a cycle, so none is tracked by the collector."""

    TYPE: ClassVar[int] = 0


class Login(Message, frozen=True):
    """First frame of a client. `version`: newest inbox version that is safe on the device.

    `heartbeat_s` 0 asks for the server's default.
    """

    TYPE = 0x01
    token: Token
    device: Name
    platform: Annotated[str, Meta(max_length=64)] = ""
    version: Count = 0
    heartbeat_s: Heartbeat = 0
    features: Features = []


class LoggedIn(Message, frozen=True):
    TYPE = 0x02
    user: Name
    session: Count
    version: Count
    heartbeat_s: Heartbeat
    features: Features
    server_time_ms: Count
    node: str


class Ping(Message, frozen=True):
    """An empty body, or another heartbeat interval to be used from now on."""

    TYPE = 0x03
    heartbeat_s: Heartbeat | None = None


class Pong(Message, frozen=True):
    TYPE = 0x04
    version: Count
    heartbeat_s: Heartbeat


class Send(Message, frozen=True):
    """`to`: a user id, or a group's conversation id (`g:<id>`)."""

    TYPE = 0x10
    cid: Name
    to: Address
    kind: Name
    body: bytes
    sent_at_ms: Count = 0


class Sent(Message, frozen=True):
    TYPE = 0x11
    cid: Name
    mid: Count
    conversation: Address
    sequence: Count
    version: Count
    at_ms: Count


class Item(msgspec.Struct, array_like=True, frozen=True, gc=False):
    kind: Name
    body: bytes


class SendPackage(Message, frozen=True):
    """Accepted all or none, adjacent and in this order (ORD.4)."""

    TYPE = 0x12
    cid: Name
    to: Address
    items: Annotated[list[Item], Meta(min_length=1, max_length=MAX_PACKAGE_ITEMS)]


class Placed(msgspec.Struct, array_like=True, frozen=True, gc=False):
    mid: Count
    sequence: Count


class PackageSent(Message, frozen=True):
    """`version`: the sender's inbox version of the last item."""

    TYPE = 0x13
    cid: Name
    conversation: Address
    placed: list[Placed]
    version: Count
    at_ms: Count


class Entry(Message, frozen=True):
    """One row of an inbox; sent alone it is a PUSH at its first attempt."""

    TYPE = 0x20
    version: Count
    mid: Count
    conversation: Address
    sequence: Count
    sender: Name
    kind: Name
    body: bytes
    at_ms: Count


class Push(Entry, frozen=True):
    """A PUSH as received. `attempt` is a trailing field that our server adds to retransmissions only."""

    attempt: Count = 1


class Pushed(Message, frozen=True):
    TYPE = 0x21
    version: Count


class Pull(Message, frozen=True):
    """Entries with a version above `after`, oldest first."""

    TYPE = 0x22
    after: Count
    limit: Count


class Pulled(Message, frozen=True):
    TYPE = 0x23
    entries: list[Entry]
    newest: Count
    more: bool


class Read(Message, frozen=True):
    TYPE = 0x30
    conversation: Address
    sequence: Count


class ReadUpdate(Message, frozen=True):
    TYPE = 0x31
    conversation: Address
    sequence: Count
    unread: Count
    total_unread: Count


class Unread(Message, frozen=True):
    TYPE = 0x32


class UnreadOf(msgspec.Struct, array_like=True, frozen=True, gc=False):
    conversation: Address
    unread: Count


class UnreadCounts(Message, frozen=True):
    """`counts` names every conversation whose count is above zero."""

    TYPE = 0x33
    total: Count
    counts: list[UnreadOf]


class Contacts(Message, frozen=True):
    """Most recent first. `after`: the `mid` of the last contact of the page before; 0 for the first page."""

    TYPE = 0x34
    after: Count
    limit: Count


class Contact(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """`peer`: a user id or a group's conversation id; `mid`, `sequence`, `at_ms` of its newest message."""

    peer: Address
    mid: Count
    sequence: Count
    at_ms: Count
    unread: Count


class ContactList(Message, frozen=True):
    TYPE = 0x35
    contacts: list[Contact]


class History(Message, frozen=True):
    """Newest first, sequences below `before`; 0 starts at the newest."""

    TYPE = 0x36
    conversation: Address
    before: Count
    limit: Count


class HistoryPage(Message, frozen=True):
    """`version` of an entry is the asking user's own."""

    TYPE = 0x37
    entries: list[Entry]
    more: bool


class GoAway(Message, frozen=True):
    """`reason`: replaced (do not come back by yourself), draining, idle, overloaded."""

    TYPE = 0x40
    reason: Text
    retry_after_ms: Count = 0
    endpoints: list[str] = []


class Bye(Message, frozen=True):
    TYPE = 0x41


class Error(Message, frozen=True):
    """`cid` is set when the error answers a SEND or SEND_PACKAGE; after a fatal one the connection closes."""

    TYPE = 0x7F
    code: Count
    text: Text
    cid: str | None = None
    fatal: bool = False


FROM_CLIENT: dict[int, type[Message]] = {
    kind.TYPE: kind
    for kind in (Login, Ping, Send, SendPackage, Pushed, Pull, Read, Unread, Contacts, History, Bye)
}
FROM_SERVER: dict[int, type[Message]] = {
    kind.TYPE: kind
    for kind in (
        LoggedIn, Pong, Sent, PackageSent, Push, Pulled, ReadUpdate, UnreadCounts, ContactList, HistoryPage,
        GoAway, Error,
    )
}  # fmt: skip
BY_TYPE: dict[int, type[Message]] = {**FROM_CLIENT, **FROM_SERVER}

_ENCODER = msgspec.msgpack.Encoder()
_DECODERS = {number: msgspec.msgpack.Decoder(kind) for number, kind in BY_TYPE.items()}


def encode_body(message: Message) -> bytes:
    """The body of `message`; a PING that asks for nothing has an empty one (HBT.5)."""
    if type(message) is Ping and message.heartbeat_s is None:
        return b""
    return _ENCODER.encode(message)


def decode_body(kind: int, body: bytes) -> Message:
    """The message of type byte `kind`. Raises RemoteProtocolError for an unknown type or a wrong body."""
    decoder = _DECODERS.get(kind)
    if decoder is None:
        raise RemoteProtocolError(f"unknown frame type 0x{kind:02x}")
    if not body and kind == Ping.TYPE:
        return _EMPTY_PING
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RemoteProtocolError(f"{BY_TYPE[kind].__name__}: {error}") from error


_EMPTY_PING = Ping()

"""What a dialect owes its client: a session is one connection's protocol state, sans-I/O and without a clock.

Bytes in, notes out; commands in, bytes out. Everything that takes time (login timeout, heartbeat,
retransmission, pull retries, reconnection) is the client's business, so that a new dialect is a codec and a
small state machine, nothing more. A carrier wraps a session in another session (TLS, WebSocket), or takes its
bytes through a tunnel (HTTP requests), so neither the client nor a pump knows about carriers.

A protocol whose inbox has versions reports messages as `Arrived` and answers `Page`, `acknowledge`, `pull`;
any other reports them as `Received` and acknowledges by itself, in `receive`: the client has dealt with what
it was told before `take` is called. What a protocol has no words for raises LocalProtocolError, and is not
asked of it where `Dialect.offers` does not name it.
"""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from urllib.parse import SplitResult

import msgspec

from drivers.events import CloseReason, ContactsListed, Event, HistoryListed, ReadUpdated, UnreadChanged
from protocol.messages import Entry, Item

if TYPE_CHECKING:
    from drivers.carriers.polling import PollingTunnel


class Identity(msgspec.Struct, frozen=True, gc=False):
    """Who logs in. `secret` is what the dialect needs for it: a token, a password. `rooms`: the groups, such
    as "g:ann", that it has to enter by itself (`Dialect.enters_rooms`)."""

    user: str
    device: str
    secret: str
    rooms: tuple[str, ...] = ()


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """A message to be sent; `cid` makes repeats recognisable, `to` is a user id or a group."""

    cid: str
    to: str
    kind: str
    body: bytes
    sent_at_ms: int


class OutgoingPackage(msgspec.Struct, frozen=True, gc=False):
    """Messages that are accepted all or none, and stay together in this order (ORD.4)."""

    cid: str
    to: str
    items: tuple[Item, ...]


class AskRead(msgspec.Struct, frozen=True, gc=False):
    conversation: str
    sequence: int


class AskUnread(msgspec.Struct, frozen=True, gc=False):
    pass


class AskContacts(msgspec.Struct, frozen=True, gc=False):
    after: int
    limit: int


class AskHistory(msgspec.Struct, frozen=True, gc=False):
    conversation: str
    before: int
    limit: int


Question = AskRead | AskUnread | AskContacts | AskHistory


def answers(event: Event, question: Question) -> bool:
    """Whether `event` is the answer to `question`; a read also counts as done when more was read since."""
    if isinstance(event, ReadUpdated):
        return (
            isinstance(question, AskRead)
            and question.conversation == event.conversation
            and event.sequence >= question.sequence
        )
    return isinstance(question, _ASKED_BY.get(type(event), ()))


_ASKED_BY: dict[type[Event], type[Question]] = {
    UnreadChanged: AskUnread,
    ContactsListed: AskContacts,
    HistoryListed: AskHistory,
}


class Note(Event, frozen=True):
    """What only the client needs to hear; everything else a session reports goes on to the application."""


class Arrived(Note, frozen=True):
    """A message as it came over the wire, before the client decides whether it is new and in order."""

    entry: Entry
    attempt: int


class Received(Note, frozen=True):
    """A message of a protocol without inbox versions, as it came over the wire.

    The client shows it at once, unless a message with the same `key` came lately, which makes it a repeat
    (`drivers.recent`). `key`: whatever is the same of each copy, and of no other message to this device.
    `entry.version` and `entry.sequence` are 0. `attempt`: above 1 where the peer says that it sends it again.
    `via`: "pull" for what was asked for; "" for what came by itself.
    """

    entry: Entry
    key: str
    attempt: int = 1
    via: str = ""


class Page(Note, frozen=True):
    """The answer to a pull."""

    entries: tuple[Entry, ...]
    newest: int
    more: bool


class Ponged(Note, frozen=True):
    """A heartbeat came back; `version` is None where the protocol has none."""

    version: int | None
    heartbeat_s: float | None


class Ended(Note, frozen=True):
    """The session is over: the peer closed in words or broke the protocol, or the connection is gone.

    `retry_after_s` and `endpoints`: when to come back at the earliest and where to, as the peer wishes.
    """

    reason: CloseReason
    detail: str
    retry_after_s: float = 0.0
    endpoints: tuple[str, ...] = ()


class Session(Protocol):
    """One connection. Commands queue bytes; `take` hands them to the pump.

    `receive` never raises for what a peer may send: a broken protocol becomes `Ended`. Commands raise
    LocalProtocolError when the state forbids them (a send before the login) or no frame can hold them; after
    the end they go nowhere.
    """

    def login(self, identity: Identity, version: int, heartbeat_s: int) -> None:
        """Queue the opening of the session."""

    def receive(self, data: bytes) -> list[Event]:
        """Notes and events in the order of the wire."""

    def take(self) -> bytes:
        """The bytes to send, handed over once; b"" when there are none."""

    def ping(self, heartbeat_s: int | None = None) -> None:
        """Queue a heartbeat, or the wish for another interval."""

    def submit(self, outgoing: Outgoing | OutgoingPackage, attempt: int) -> None:
        """Queue a send; `attempt` above 1 is a repeat of the same cid.

        Raises LocalProtocolError for a package where the dialect does not offer `packages`.
        """

    def acknowledge(self, version: int) -> None:
        """Queue the acknowledgement of everything up to `version`."""

    def pull(self, after: int, limit: int) -> None:
        """Queue a request for the inbox after a version."""

    def ask(self, question: Question) -> None:
        """Queue a request that has one answer."""

    def bye(self) -> None:
        """Queue an orderly farewell."""


class ResumableSession(Session, Protocol):
    """A session of a dialect that `resumes`: what it was in the middle of outlives its connection."""

    def remains(self) -> object | None:
        """What the next session of this device has to know of this one, which is over; None for nothing."""

    def resume(self, remains: object) -> None:
        """What the session before left; called before `login`, if there was anything."""


class Messages(enum.Enum):
    """What a WebSocket message holds."""

    BINARY = "binary"
    TEXT = "text"
    FRAMES = "frames"
    """Binary, each exactly one frame of the chat protocol."""


@dataclass(frozen=True, slots=True)
class InWebSocket:
    """How a dialect travels in WebSocket messages: what `take` returns is one of them.

    `path`: of the URL, where it has none. `subprotocol`: asked for, and to be agreed to by the server; "" for
    none. `split`: cuts what `take` returned where each part has to be a message of its own. `new_session`:
    where the protocol has other words inside a WebSocket than over TCP.
    """

    path: str
    subprotocol: str = ""
    messages: Messages = Messages.BINARY
    split: Callable[[bytes], list[bytes]] | None = None
    new_session: Callable[[], Session] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """A protocol: whatever else has to be known of it, so that nobody asks for its name.

    Found by registration: a module (or package) under drivers/dialects with a `DIALECT`, an entry point of
    the group `chatproof.dialects` in any package that is installed, or `--dialect MODULE:NAME`
    (`drivers.registered`). A target names it by its URL: `NAME+CARRIER://HOST:PORT`, or a scheme of its own.

    `offers` names the capabilities of requirements.toml that the protocol has. What it does not offer is
    neither asked for nor judged. Those that the swarm goes by: "versions" (inboxes are numbered: Arrived,
    Page, pull; without them it settles by silence), "offline" (a login brings what came meanwhile: devices go
    away, and settling includes one more login), "multi_device", "packages", "unread".

    `default_port`, and `ports` for carriers where it is another. `schemes`: its own short ones, and the
    carrier that each stands for. `options`: keys of a target's query that are the dialect's; `configured`
    makes the dialect of one target from its URL, and raises ValueError for one that makes no sense.

    `framing`: the framer (chaos.framers) that knows its messages, None if frame faults cannot know them.
    `websocket`: how it travels in one, None for not at all. `needs_accounts`: whether somebody has to make
    its users; False where a server of it commonly lets in whoever comes. `enters_rooms`: whether devices have
    to be told their groups, because no server keeps lists of members.

    `retransmits`: whether a send may be repeated on the same connection. If not, the client ends a connection
    that owes it an answer for too long, and repeats after the next login, with an `attempt` above 1.
    `resumes`: whether its sessions are ResumableSession.
    """

    name: str
    new_session: Callable[[], Session]
    offers: frozenset[str]
    default_port: int
    ports: Mapping[str, int] = field(default_factory=dict)
    schemes: Mapping[str, str] = field(default_factory=dict)
    options: frozenset[str] = frozenset()
    configured: "Callable[[SplitResult], Dialect] | None" = None
    framing: str | None = None
    websocket: InWebSocket | None = None
    needs_accounts: bool = True
    enters_rooms: bool = False
    retransmits: bool = True
    resumes: bool = False


@dataclass(frozen=True, slots=True)
class Carrier:
    """How a session's bytes travel: one module under drivers/carriers with a `CARRIER`.

    `wrap` changes the bytes of one connection; `new_tunnel` ends them in requests over several. `dialect`:
    the only one whose bytes it can carry. `proxy`: where its connections go instead of to the server.
    """

    name: str
    wrap: Callable[[Session], Session] | None = None
    new_tunnel: "Callable[[], PollingTunnel] | None" = None
    dialect: str | None = None
    proxy: tuple[str, int] | None = None

    @property
    def via(self) -> str:
        """How what nobody asked for arrives: "push", or "poll" where the server cannot push."""
        return "push" if self.new_tunnel is None else "poll"

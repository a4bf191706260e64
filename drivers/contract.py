"""What a dialect owes its client: a session is one connection's protocol state, sans-I/O and without a clock.

Bytes in, notes out; commands in, bytes out. Everything that takes time (login timeout, heartbeat,
retransmission, pull retries, reconnection) is the client's business, so that a new dialect is a codec and a
small state machine, nothing more. A carrier wraps a session in another session (TLS, WebSocket), or takes its
bytes through a tunnel (HTTP requests), so neither the client nor a pump knows about carriers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import msgspec

from drivers.events import CloseReason, ContactsListed, Event, HistoryListed, ReadUpdated, UnreadChanged
from protocol.messages import Entry, Item

if TYPE_CHECKING:
    from drivers.carriers.polling import PollingTunnel


class Identity(msgspec.Struct, frozen=True, gc=False):
    """Who logs in. `secret` is what the dialect needs for it: a token, a password."""

    user: str
    device: str
    secret: str


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


@dataclass(frozen=True, slots=True)
class Dialect:
    """A protocol as found by registration: one module under drivers/dialects with a `DIALECT`.

    `offers` names the capabilities of requirements.toml that the protocol has (versions, unread, …).
    """

    name: str
    new_session: Callable[[], Session]
    offers: frozenset[str]
    default_port: int


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

"""What a client reports while it lives. Frozen and slotted; a case asserts on them, a swarm counts them.

Times are monotonic seconds unless the name ends in `_ms` (Unix milliseconds, the server's clock).
"""

import enum

import msgspec

from protocol.messages import Contact, Entry, Placed, UnreadOf


class CloseReason(enum.StrEnum):
    """Why a session ended, as the client saw it."""

    EOF = "eof"
    RESET = "reset"
    SILENCE = "silence"
    UNANSWERED = "unanswered"
    LOGIN_TIMEOUT = "login timeout"
    PROTOCOL_ERROR = "protocol error"
    REPLACED = "replaced"
    DRAINING = "draining"
    REFUSED = "refused"
    ERROR = "error"
    LEFT = "left"


class Event(msgspec.Struct, frozen=True, gc=False):
    """Base of all events."""


class Opened(Event, frozen=True):
    """The carrier is connected; nothing has been said yet."""

    endpoint: str


class LoggedIn(Event, frozen=True):
    """The server knows this device. `version`: the newest of its inbox, as the server says. `lacks`: what
    this server turned out not to have of all that its protocol leaves open, by name
    (docs/foreign-servers.md), each with the reason."""

    user: str
    session: int
    version: int
    heartbeat_s: float
    features: tuple[str, ...]
    endpoint: str
    lacks: tuple[tuple[str, str], ...] = ()


class Refused(Event, frozen=True):
    """The login was turned down for good; the client does not try again with this token."""

    code: int
    text: str


class Acked(Event, frozen=True):
    """A send is stored: the server answers for it from now on. `repeat`: acknowledged once before."""

    cid: str
    mid: int | None
    conversation: str
    sequence: int | None
    version: int | None
    at_ms: int | None
    attempts: int
    repeat: bool = False


class PackageAcked(Event, frozen=True):
    """The same for a package: `placed` in its order, `version` that of its last message."""

    cid: str
    conversation: str
    placed: tuple[Placed, ...]
    version: int
    at_ms: int
    attempts: int
    repeat: bool = False


class Rejected(Event, frozen=True):
    """A send was turned down with a definite error; the client does not retransmit it (DLV.8).

    `retry_after_s`: for how long the server wants no further sends; the client keeps them until then.
    """

    cid: str
    code: int
    text: str
    retry_after_s: float = 0.0


class Retransmitted(Event, frozen=True):
    """A send went out again because no acknowledgement came. `attempt`: 2 for the first repeat."""

    cid: str
    attempt: int


class Delivered(Event, frozen=True):
    """The application was shown a message. `via`: push, pull or poll; `attempt` > 1: a push sent again."""

    entry: Entry
    via: str
    attempt: int = 1


class Repeated(Event, frozen=True):
    """A message came again and was kept from the application."""

    entry: Entry
    via: str
    attempt: int = 1


class GapFound(Event, frozen=True):
    """The inbox has a hole after `after`: a pull went out. `newest` is what made it visible."""

    after: int
    newest: int


class GapSkipped(Event, frozen=True):
    """Several pulls did not bring what follows `after`: the client went on behind `until` without it."""

    after: int
    until: int


class ReadUpdated(Event, frozen=True):
    conversation: str
    sequence: int
    unread: int
    total_unread: int


class UnreadChanged(Event, frozen=True):
    """Counts as the server reports them; conversations without unread messages may be left out."""

    total: int
    counts: tuple[UnreadOf, ...]


class ContactsListed(Event, frozen=True):
    contacts: tuple[Contact, ...]


class HistoryListed(Event, frozen=True):
    entries: tuple[Entry, ...]
    more: bool


class Beat(Event, frozen=True):
    """A heartbeat was answered after `repeats` further tries; `version`: the newest the server has."""

    rtt_s: float
    repeats: int
    version: int | None


class BeatSent(Event, frozen=True):
    """A heartbeat fell due, or was asked for out of turn, and went out; `late_s` after its time."""

    late_s: float


class BeatMissed(Event, frozen=True):
    """A heartbeat stayed without an answer until the next was due or the session ended."""


class BeatAbandoned(Event, frozen=True):
    """The client left on purpose before its heartbeat could be answered: neither answered nor missed."""


class ServerError(Event, frozen=True):
    """An error that answers no send and no login."""

    code: int
    text: str
    fatal: bool


class GoneAway(Event, frozen=True):
    """The server asks the client to leave. After `replaced` the client stays away by itself (ROM.5)."""

    reason: str
    retry_after_s: float
    endpoints: tuple[str, ...] = ()


class ConnectFailed(Event, frozen=True):
    endpoint: str
    reason: str


class Closed(Event, frozen=True):
    """The session is over; `detail` says more where there is more to say."""

    reason: CloseReason
    detail: str
    was_logged_in: bool

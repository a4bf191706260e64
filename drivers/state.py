"""What a client remembers between two events, and what it shares with all others.

The concerns of a client (`reconnection`, `heartbeat`, `inbox`, `requests`) are mixins without slots over
`Remembered`, so that a client stays one object however many files explain it.
"""

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from drivers.contract import Identity, Session
from drivers.endpoints import Endpoint
from drivers.events import Event
from drivers.gap import Gap, Skipped
from drivers.ladder.ladder import Ladder
from drivers.outbox import Outbox
from drivers.policy import Policy
from drivers.recent import Recent

if TYPE_CHECKING:
    from drivers.client import Client

NEVER = float("inf")
_TRIED_BEFORE = 2


class State(enum.IntEnum):
    """What the pump has to provide: a connection being made, one that is up, or none.

    | state      | connection    | leaves by                                       |
    |------------|---------------|-------------------------------------------------|
    | STOPPED    | none          | start                                           |
    | WAITING    | none          | tick at `deadline`                              |
    | CONNECTING | being made    | connected, connect_failed, tick at `deadline`   |
    | LOGGING_IN | up            | receive (LoggedIn, Refused), lost, tick         |
    | ONLINE     | up            | lost, leave                                     |
    """

    STOPPED = 0
    WAITING = 1
    CONNECTING = 2
    LOGGING_IN = 3
    ONLINE = 4


class Roster(Protocol):
    """Who the clients are, by index; looked up when needed instead of kept a million times."""

    def identity(self, index: int) -> Identity: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all clients of a pump share. `observe(client, event, now)` hears everything they report.

    An observer may send, ask, beat, leave and start; it must not block. With a scheduler among `endpoints`
    there is a `ladder`, whose routes they are from then on; the others are addresses built in.
    """

    endpoints: Sequence[Endpoint]
    roster: Roster
    policy: Policy
    observe: Callable[["Client", Event, float], None]
    ladder: Ladder | None = None

    def __post_init__(self) -> None:
        scheduler = next((each for each in self.endpoints if each.origin is not None), None)
        ladder = self.ladder
        if ladder is None and scheduler is not None:
            built_in = tuple(each for each in self.endpoints if each.origin is None)
            policy = self.policy
            ladder = Ladder(scheduler, built_in, dice=policy.dice, look_up_s=policy.look_up_s)
            object.__setattr__(self, "ladder", ladder)
        if ladder is not None:
            object.__setattr__(self, "endpoints", ladder.endpoints)

    @property
    def alternatives(self) -> int:
        """Among how many access points a client shares out its patience; a ladder has tried them before."""
        return len(self.endpoints) if self.ladder is None else _TRIED_BEFORE


class Away:
    """Why a client is not there: the connection it had was lost, or attempts to get one failed, or both.

    `stray_logins`: how many logins of its own got no answer. One that was only held up on the way replaces a
    later one when it arrives, so while there are any this is kept beyond the login.
    """

    __slots__ = ("failures", "lost_at", "stray_logins")

    def __init__(self, lost_at: float | None = None) -> None:
        self.lost_at = lost_at
        self.failures = 0
        self.stray_logins = 0


class Remembered:
    """Idle, a client is this and its session; what is None exists only while it holds something.

    `_past`: what of earlier messages has to be remembered, of an inbox with versions or of one without.
    """

    __slots__ = (
        "_ask_heartbeat_s", "_away", "_beat_due", "_beat_sent", "_beat_tries", "_gap", "_heard_at",
        "_heartbeat_s", "_outbox", "_past", "_route", "_session", "_shared", "armed_for", "deadline", "index",
        "link", "state", "version",
    )  # fmt: skip

    def __init__(self, shared: Surroundings, index: int, *, version: int = 0) -> None:
        self._shared = shared
        self.index = index
        self.version = version
        self.state = State.STOPPED
        self.deadline = NEVER
        self.link = -1
        self.armed_for = NEVER
        self._session: Session | None = None
        self._route = index % len(shared.endpoints) if shared.ladder is None else 0
        self._away: Away | None = None
        self._heartbeat_s: float = shared.policy.heartbeat_s
        self._ask_heartbeat_s: int = shared.policy.heartbeat_s
        self._heard_at = 0.0
        self._beat_due = NEVER
        self._beat_sent: float | None = None
        self._beat_tries = 0
        self._outbox: Outbox | None = None
        self._gap: Gap | None = None
        self._past: Skipped | Recent | None = None

    def _emit(self, event: Event, now: float) -> None:
        self._shared.observe(cast("Client", self), event, now)

    def _soon(self, due: float) -> None:
        if due < self.deadline:
            self.deadline = due

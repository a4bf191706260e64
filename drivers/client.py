"""What a real app holds: it outlives sessions; it decides about order, repeats, retransmission and return.

Sans-I/O: a pump tells it what happened and what time it is, and does what its `state` and `take` ask for.
This file knows neither sockets nor any dialect's bytes. Idle, a client is this object and its session; the
outbox, the gap and the questions exist only while they hold something.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from drivers import events
from drivers.contract import Arrived, Ended, Identity, Outgoing, Page, Ponged, Question, Session, answers
from drivers.endpoints import Endpoint
from drivers.events import CloseReason, Event
from drivers.gap import Gap
from drivers.outbox import Outbox, Pending
from drivers.policy import Policy
from protocol.limits import silence_limit_s
from protocol.messages import Entry

NEVER = float("inf")


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
    """What all clients of a pump share. `observe(client, event, now)` hears everything they report."""

    endpoints: tuple[Endpoint, ...]
    roster: Roster
    policy: Policy
    observe: Callable[["Client", Event, float], None]


class Asked:
    """A question without an answer yet; repeated like a send, because asking twice does no harm."""

    __slots__ = ("attempts", "due", "question")

    def __init__(self, question: Question) -> None:
        self.question = question
        self.attempts = 0
        self.due = 0.0


class Client:
    """One device of one user. `version`: everything up to it was shown to the application, in order.

    `deadline` is when `tick` has to be called at the latest; `link` and `armed_for` belong to the pump.
    """

    __slots__ = (
        "_asked", "_beat_due", "_beat_sent", "_beat_tries", "_failures", "_gap", "_heard_at", "_heartbeat_s",
        "_lost_at", "_outbox", "_route", "_session", "_shared", "armed_for", "deadline", "index", "link",
        "state", "version",
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
        self._route = index % len(shared.endpoints)
        self._failures = 0
        self._lost_at: float | None = None
        self._heartbeat_s: float = shared.policy.heartbeat_s
        self._heard_at = 0.0
        self._beat_due = NEVER
        self._beat_sent: float | None = None
        self._beat_tries = 0
        self._outbox: Outbox | None = None
        self._gap: Gap | None = None
        self._asked: list[Asked] | None = None

    # -- what the application does --

    def start(self, now: float) -> None:
        """Connect now, or come back after `leave`."""
        if self.state is State.STOPPED:
            self._session = None
            self._failures = 0
            self._connect(now)

    def leave(self, now: float) -> None:
        """Say goodbye and stay away until `start`; what is unfinished is kept and goes on then."""
        if self._session is not None and self.state is State.ONLINE:
            self._session.bye()
        if self.state is not State.STOPPED:
            self._end(CloseReason.LEFT, "", now)
            self._stop()
            self._lost_at = None

    def send(self, outgoing: Outgoing, now: float) -> None:
        """Send until acknowledged or rejected, whatever happens to connections (DLV.1, DLV.2)."""
        if self._outbox is None:
            self._outbox = Outbox()
        pending = self._outbox.submit(outgoing)
        if pending is not None and self.state is State.ONLINE:
            self._transmit(pending, now)

    def ask(self, question: Question, now: float) -> None:
        """Ask until answered; the answer comes as an event."""
        asked = Asked(question)
        if self._asked is None:
            self._asked = []
        self._asked.append(asked)
        if self.state is State.ONLINE:
            self._put(asked, now)

    def beat(self, now: float, heartbeat_s: int | None = None) -> None:
        """Send a heartbeat out of turn, or ask for another interval (HBT.4)."""
        if self._session is not None and self.state is State.ONLINE:
            self._session.ping(heartbeat_s)
            if self._beat_sent is None:
                self._beat_sent, self._beat_tries = now, 0
                self._soon(now + self._shared.policy.beat_again_s(self._heartbeat_s))

    # -- what the application may look at --

    @property
    def endpoint(self) -> Endpoint:
        """Where it is connected, or will connect next."""
        return self._shared.endpoints[self._route]

    @property
    def unfinished(self) -> int:
        """Sends without an answer and questions without one."""
        return (0 if self._outbox is None else len(self._outbox)) + (
            0 if self._asked is None else len(self._asked)
        )

    @property
    def has_gap(self) -> bool:
        """True while the inbox is known to have more than was shown."""
        return self._gap is not None

    @property
    def lost_at(self) -> float | None:
        """When the connection was lost that has not been made good yet."""
        return self._lost_at

    @property
    def failures(self) -> int:
        """Attempts to come back that failed since then."""
        return self._failures

    # -- what the pump tells --

    def dialled(self, now: float) -> None:
        """The connection that `state` asked for is being made from now on: the time limit starts."""
        self.deadline = now + self._shared.policy.connect_timeout_s

    def connected(self, now: float) -> None:
        """The connection that `state` asked for is up."""
        shared = self._shared
        self._emit(events.Opened(self.endpoint.label), now)
        session = self.endpoint.new_session()
        session.login(shared.roster.identity(self.index), self.version, shared.policy.heartbeat_s)
        self._session = session
        self.state = State.LOGGING_IN
        self._heard_at = now
        self.deadline = now + shared.policy.login_timeout_s

    def connect_failed(self, reason: str, now: float) -> None:
        """It could not be made; the next endpoint is tried, soon in the first round, later in the next."""
        self._emit(events.ConnectFailed(self.endpoint.label, reason), now)
        self._retry(now)

    def lost(self, reason: CloseReason, detail: str, now: float) -> None:
        """The connection is gone; everything unfinished is kept for the next one."""
        if self._session is None:
            return
        was_online = self.state is State.ONLINE
        self._end(reason, detail, now)
        if was_online:
            self._lost_at = now
            self._failures = 0
            self._wait(now, self._shared.policy.backoff_s(0))
        else:
            self._retry(now)

    def receive(self, data: bytes, now: float) -> None:
        """Bytes came."""
        session = self._session
        if session is None:
            return
        self._heard_at = now
        version = self.version
        pushed = self._gap is not None
        repeated = False
        for event in session.receive(data):
            kind = type(event)
            if isinstance(event, Arrived):
                pushed = True
                repeated |= self._accept(event.entry, "push", event.attempt, now)
            else:
                handler = _HANDLERS.get(kind)
                if handler is None:
                    self._emit(event, now)
                else:
                    handler(self, event, now)
            if self._session is not session:
                return
        # What a SENT brought needs no acknowledgement; what was pushed or pulled does, each time it comes.
        if repeated or (pushed and self.version != version):
            session.acknowledge(self.version)

    def take(self) -> bytes:
        """What has to be sent now."""
        return b"" if self._session is None else self._session.take()

    def tick(self, now: float) -> None:
        """Do what is due, and set the next `deadline`."""
        state = self.state
        if state is State.ONLINE:
            self._tick_online(now)
        elif now < self.deadline:
            return
        elif state is State.WAITING:
            self._connect(now)
        elif state is State.CONNECTING:
            self.connect_failed("no answer in time", now)
        elif state is State.LOGGING_IN:
            self.lost(CloseReason.LOGIN_TIMEOUT, "no answer to the login in time", now)

    # -- connection --

    def _connect(self, now: float) -> None:
        self.state = State.CONNECTING
        self.deadline = now + self._shared.policy.connect_timeout_s

    def _wait(self, now: float, seconds: float) -> None:
        self.state = State.WAITING
        self.deadline = now + seconds

    def _stop(self) -> None:
        self.state = State.STOPPED
        self.deadline = NEVER

    def _retry(self, now: float) -> None:
        shared = self._shared
        self._failures += 1
        self._route = (self._route + 1) % len(shared.endpoints)
        rounds, within_round = divmod(self._failures, len(shared.endpoints))
        if within_round:
            self._wait(now, shared.policy.dice.uniform(0.0, shared.policy.next_endpoint_s))
        else:
            self._wait(now, shared.policy.backoff_s(rounds - 1))

    def _end(self, reason: CloseReason, detail: str, now: float) -> None:
        was_online = self.state is State.ONLINE
        had_session = self._session is not None
        # A farewell is still to be taken by the pump; everything else of the session is over.
        if reason is not CloseReason.LEFT:
            self._session = None
            if self._beat_sent is not None:
                self._emit(events.BeatMissed(), now)
        self._beat_sent = None
        self._beat_due = NEVER
        if had_session:
            self._emit(events.Closed(reason, detail, was_online), now)

    def _on_logged_in(self, event: events.LoggedIn, now: float) -> None:
        shared = self._shared
        self.state = State.ONLINE
        self._heartbeat_s = event.heartbeat_s
        # The first beat falls anywhere in the interval, so that those who logged in together do not beat
        # together for ever.
        self._beat_due = now + shared.policy.dice.random() * event.heartbeat_s
        self._beat_sent = None
        self._emit(
            events.LoggedIn(
                event.user, event.session, event.version, event.heartbeat_s, event.features,
                self.endpoint.label,
            ),
            now,
        )  # fmt: skip
        self._lost_at = None
        self._failures = 0
        if self._gap is not None:
            self._pull(self._gap, now)
        self._behind(event.version, now)
        if self._outbox is not None:
            for pending in self._outbox.flying():
                self._transmit(pending, now)
        for asked in self._asked or ():
            self._put(asked, now)
        self.deadline = self._next_deadline()

    def _on_refused(self, event: events.Refused, now: float) -> None:
        self._emit(event, now)
        self._end(CloseReason.REFUSED, event.text, now)
        self._stop()

    def _on_ended(self, event: Ended, now: float) -> None:
        if event.reason is CloseReason.REPLACED:
            self._end(event.reason, event.detail, now)
            self._stop()
        else:
            self.lost(event.reason, event.detail, now)

    # -- heartbeat --

    def _tick_online(self, now: float) -> None:
        session = self._session
        if session is None:
            return
        if self._beat_sent is not None and now >= self._heard_at + silence_limit_s(self._heartbeat_s):
            self.lost(CloseReason.SILENCE, f"nothing heard for {now - self._heard_at:.1f} s", now)
            return
        if now >= self._beat_due:
            if self._beat_sent is not None:
                self._emit(events.BeatMissed(), now)
            session.ping()
            self._emit(events.BeatSent(now - self._beat_due), now)
            self._beat_sent, self._beat_tries = now, 0
            self._beat_due = max(self._beat_due + self._heartbeat_s, now)
        elif self._beat_sent is not None and now >= self._beat_again():
            session.ping()
            self._beat_tries += 1
        if self._outbox is not None and now >= self._outbox.next_due():
            for pending in self._outbox.flying():
                if now >= pending.due:
                    self._transmit(pending, now)
        if self._gap is not None and now >= self._gap.due:
            self._pull(self._gap, now)
        for asked in self._asked or ():
            if now >= asked.due:
                self._put(asked, now)
        self.deadline = self._next_deadline()

    def _beat_again(self) -> float:
        sent = self._beat_sent if self._beat_sent is not None else NEVER
        return sent + (self._beat_tries + 1) * self._shared.policy.beat_again_s(self._heartbeat_s)

    def _next_deadline(self) -> float:
        deadline = self._beat_due
        if self._beat_sent is not None:
            silent_at = self._heard_at + silence_limit_s(self._heartbeat_s)
            deadline = min(deadline, self._beat_again(), silent_at)
        if self._outbox is not None:
            deadline = min(deadline, self._outbox.next_due())
        if self._gap is not None:
            deadline = min(deadline, self._gap.due)
        if self._asked is not None:
            deadline = min(deadline, min(asked.due for asked in self._asked))
        return deadline

    def _soon(self, due: float) -> None:
        if due < self.deadline:
            self.deadline = due

    def _on_ponged(self, event: Ponged, now: float) -> None:
        if event.heartbeat_s and event.heartbeat_s != self._heartbeat_s:
            self._heartbeat_s = event.heartbeat_s
            self._beat_due = now + event.heartbeat_s
            self._soon(self._beat_due)
        if self._beat_sent is not None:
            rtt_s = now - self._beat_sent
            self._beat_sent = None
            self._emit(events.Beat(rtt_s, self._beat_tries, event.version), now)
            self._soon(self._beat_due)
        if event.version is not None:
            self._behind(event.version, now)

    # -- sends and questions --

    def _transmit(self, pending: Pending, now: float) -> None:
        session = self._session
        if session is None:
            return
        pending.attempts += 1
        pending.due = now + self._shared.policy.retransmit_s(pending.attempts)
        self._soon(pending.due)
        session.submit(pending.outgoing, pending.attempts)
        if pending.attempts > 1:
            self._emit(events.Retransmitted(pending.outgoing.cid, pending.attempts), now)

    def _settle(self, cid: str, now: float) -> Pending | None:
        outbox = self._outbox
        if outbox is None:
            return None
        pending, following = outbox.settle(cid)
        if following is not None:
            self._transmit(following, now)
        elif not len(outbox):
            self._outbox = None
        return pending

    def _on_acked(self, event: events.Acked, now: float) -> None:
        pending = self._settle(event.cid, now)
        attempts = 0 if pending is None else pending.attempts
        self._emit(
            events.Acked(
                event.cid, event.mid, event.conversation, event.sequence, event.version, event.at_ms,
                attempts, pending is None,
            ),
            now,
        )  # fmt: skip
        if pending is not None and event.version is not None:
            self._accept(self._own_entry(pending.outgoing, event), "sent", attempts, now)

    def _own_entry(self, outgoing: Outgoing, event: events.Acked) -> Entry:
        user = self._shared.roster.identity(self.index).user
        return Entry(
            event.version or 0, event.mid or 0, event.conversation, event.sequence or 0, user,
            outgoing.kind, outgoing.body, event.at_ms or 0,
        )  # fmt: skip

    def _on_rejected(self, event: events.Rejected, now: float) -> None:
        if self._settle(event.cid, now) is not None:
            self._emit(event, now)

    def _put(self, asked: Asked, now: float) -> None:
        session = self._session
        if session is None:
            return
        asked.attempts += 1
        asked.due = now + self._shared.policy.retransmit_s(asked.attempts)
        self._soon(asked.due)
        session.ask(asked.question)

    def _on_server_error(self, event: events.ServerError, now: float) -> None:
        # Answers come in the order of the questions, so an error that names no send answers the oldest.
        if self._asked is not None and not event.fatal:
            del self._asked[0]
            self._asked = self._asked or None
        self._emit(event, now)

    def _on_answer(self, event: Event, now: float) -> None:
        asked = self._asked
        if asked is not None:
            for candidate in asked:
                if answers(event, candidate.question):
                    asked.remove(candidate)
                    break
            if not asked:
                self._asked = None
        self._emit(event, now)

    # -- inbox --

    def _accept(self, entry: Entry, via: str, attempt: int, now: float) -> bool:
        """Show the entry, or hold it back, or suppress it: then True."""
        version = entry.version
        if version == self.version + 1:
            self.version = version
            self._emit(events.Delivered(entry, via, attempt), now)
            if self._gap is not None:
                self._drain(self._gap, now)
            return False
        if version <= self.version:
            self._emit(events.Repeated(entry, via, attempt), now)
            return True
        gap = self._open_gap(version, now)
        if version in gap.held:
            self._emit(events.Repeated(entry, via, attempt), now)
        else:
            gap.held[version] = (entry, via, attempt)
        return False

    def _behind(self, newest: int, now: float) -> None:
        if newest > self.version:
            self._open_gap(newest, now)

    def _open_gap(self, newest: int, now: float) -> Gap:
        gap = self._gap
        if gap is None:
            gap = self._gap = Gap(newest)
            self._emit(events.GapFound(self.version, newest), now)
            self._pull(gap, now)
        elif newest > gap.newest:
            gap.newest = newest
        return gap

    def _pull(self, gap: Gap, now: float) -> None:
        session = self._session
        if session is None or self.state is not State.ONLINE:
            gap.due = NEVER
            return
        gap.pulls += 1
        gap.due = now + self._shared.policy.retransmit_s(gap.pulls)
        self._soon(gap.due)
        session.pull(self.version, self._shared.policy.pull_limit)

    def _drain(self, gap: Gap, now: float) -> None:
        while (held := gap.held.pop(self.version + 1, None)) is not None:
            self.version += 1
            self._emit(events.Delivered(*held), now)
        if not gap.held and gap.newest <= self.version:
            self._gap = None

    def _on_page(self, event: Page, now: float) -> None:
        before = self.version
        for entry in event.entries:
            self._accept(entry, "pull", 1, now)
        self._behind(event.newest, now)
        gap = self._gap
        if gap is None:
            return
        if self.version > before:
            gap.pulls = gap.barren = 0
            self._pull(gap, now)
            return
        if any(entry.version <= before for entry in event.entries):
            return  # the late answer to an earlier pull says nothing about what is missing now
        gap.barren += 1
        if gap.barren >= self._shared.policy.pulls_before_skipping:
            until = min(gap.held, default=gap.newest + 1) - 1
            self._emit(events.GapSkipped(before, until), now)
            self.version = until
            gap.pulls = gap.barren = 0
            self._drain(gap, now)

    def _emit(self, event: Event, now: float) -> None:
        self._shared.observe(self, event, now)


# Each handler takes just the event it is listed for, hence Any.
_HANDLERS: dict[type[Event], Callable[[Client, Any, float], None]] = {
    events.LoggedIn: Client._on_logged_in,
    events.Refused: Client._on_refused,
    events.Acked: Client._on_acked,
    events.Rejected: Client._on_rejected,
    events.ServerError: Client._on_server_error,
    events.ReadUpdated: Client._on_answer,
    events.UnreadChanged: Client._on_answer,
    events.ContactsListed: Client._on_answer,
    events.HistoryListed: Client._on_answer,
    Ponged: Client._on_ponged,
    Page: Client._on_page,
    Ended: Client._on_ended,
}

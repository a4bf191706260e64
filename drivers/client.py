"""What a real app holds: it outlives sessions; it decides about order, repeats, retransmission and return.

Sans-I/O: a pump tells it what happened and what time it is, and does what its `state` and `take` ask for.
Neither sockets nor any dialect's bytes are known here. This file is the life of the connection; what happens
over it is in `heartbeat`, `inbox` and `requests`, and what after it in `reconnection`.
"""

from collections.abc import Callable
from typing import Any, cast

import msgspec

from drivers import events
from drivers.contract import (
    Arrived,
    Ended,
    Outgoing,
    OutgoingPackage,
    Page,
    Ponged,
    Received,
    ResumableSession,
    Session,
)
from drivers.events import CloseReason, Event
from drivers.heartbeat import Heartbeat
from drivers.inbox import Inbox
from drivers.recent import Recent
from drivers.reconnection import Reconnection
from drivers.requests import Requests
from drivers.state import NEVER, Roster, State, Surroundings
from protocol.messages import Entry

__all__ = ["NEVER", "Client", "Roster", "State", "Surroundings"]

# Where every heartbeat passes: an enumeration looks its members up at the price of a call.
_LOGGING_IN, _ONLINE = State.LOGGING_IN, State.ONLINE


class Client(Reconnection, Heartbeat, Inbox, Requests):
    """One device of one user. `version`: everything up to it was shown to the application, in order.

    `deadline` is when `tick` has to be called at the latest; `link` and `armed_for` belong to the pump.
    `link` is negative while there is no connection, which a pump closes when `state` is STOPPED or WAITING.
    """

    __slots__ = ()

    # -- what the application does --

    def start(self, now: float) -> None:
        """Connect now, or come back after `leave`."""
        if self.state is State.STOPPED:
            self._away = None
            self._wait(now)
            self.tick(now)

    def leave(self, now: float) -> None:
        """Say goodbye and stay away until `start`; what is unfinished is kept and goes on then."""
        state = self.state
        if state is State.STOPPED:
            return
        had_session = self._session is not None and state >= State.LOGGING_IN
        if self._session is not None and state is State.ONLINE:
            self._session.bye()  # still to be taken by the pump
            self._keep_remains(self._session)
        else:
            self._session = None
        self._stop()
        self._away = None
        self._stop_beating(now, left=True)
        if had_session:
            self._emit(events.Closed(CloseReason.LEFT, "", state is State.ONLINE), now)

    # -- what the pump tells --

    def dialled(self, now: float) -> None:
        """The connection that `state` asked for is being made from now on: its time limit starts."""
        shared = self._shared
        self.deadline = now + shared.policy.connect_limit_s(self.failures, shared.alternatives)

    def connected(self, now: float) -> None:
        """The connection that `state` asked for is up."""
        if self.state is not State.CONNECTING:
            return
        shared = self._shared
        session = self.endpoint.new_session()
        past = self._past
        if isinstance(past, Recent) and past.remains is not None:
            cast(ResumableSession, session).resume(past.remains)
        session.login(shared.roster.identity(self.index), self.version, self._ask_heartbeat_s)
        self._session = session
        self.state = State.LOGGING_IN
        self._heard_at = now
        self.deadline = now + shared.policy.login_limit_s(self.failures, shared.alternatives)
        self._emit(events.Opened(self.endpoint.label), now)

    def connect_failed(self, reason: str, now: float) -> None:
        """It could not be made; the next endpoint is tried, soon in the first round, later in the next."""
        if self.state is State.CONNECTING:
            self._wait(NEVER)
            self._emit(events.ConnectFailed(self.endpoint.label, reason), now)
            self._retry(now, 0.0)

    def lost(self, reason: CloseReason, detail: str, now: float) -> None:
        """The connection is gone; everything unfinished is kept for the next one."""
        self._on_ended(Ended(reason, detail), now)

    def receive(self, data: bytes, now: float) -> None:
        """Bytes came."""
        session = self._session
        if session is None or self.state < _LOGGING_IN:
            return
        self._heard_at = now
        happened = session.receive(data)
        if len(happened) == 1 and type(happened[0]) is Ponged:
            # All that an idle client ever hears, so it must not cost what a conversation does.
            self._on_ponged(happened[0], now)
        else:
            self._hear(session, happened, now)
        if self._gap is not None:
            self._pull_new_gap(now)

    def _hear(self, session: Session, happened: list[Event], now: float) -> None:
        version = self.version
        pushed = self._gap is not None
        repeated = False
        for event in happened:
            if type(event) is Arrived:
                pushed = True
                repeated |= self._accept(event.entry, self.endpoint.carrier.via, event.attempt, now)
            else:
                handler = _HANDLERS.get(type(event))
                if handler is None:
                    self._emit(event, now)
                else:
                    handler(self, event, now)
            if self._session is not session or self.state < State.LOGGING_IN:
                return
        # What a SENT brought needs no acknowledgement; what was pushed or pulled does, each time it comes.
        if repeated or (pushed and self.version != version):
            session.acknowledge(self.version)

    def take(self) -> bytes:
        """What has to be sent now, also as a farewell after `leave`."""
        session = self._session
        if session is None:
            return b""
        if self.state < _LOGGING_IN:
            self._session = None
        return session.take()

    def tick(self, now: float) -> None:
        """Do what is due, and set the next `deadline`."""
        state = self.state
        if state is _ONLINE:
            self._tick_online(now)
        elif now < self.deadline:
            return
        elif state is State.WAITING:
            if self.link < 0:  # else the pump has the connection before to close first
                self._connect(now)
        elif state is State.CONNECTING:
            self.connect_failed("no answer in time", now)
        elif state is State.LOGGING_IN:
            self.lost(CloseReason.LOGIN_TIMEOUT, "no answer to the login in time", now)

    # -- while it is online --

    def _tick_online(self, now: float) -> None:
        session = self._session
        if session is None:
            return
        if self._beat_sent is not None and now >= self._silent_at():
            self.lost(CloseReason.SILENCE, f"nothing heard for {now - self._heard_at:.1f} s", now)
            return
        self._beat_in_turn(session, now)
        outbox = self._outbox
        if outbox is not None:
            if self._is_owed_too_long(outbox, now):
                self.lost(CloseReason.UNANSWERED, "no answer to a send in time", now)
                return
            self._repeat_due(outbox, now)
        if self._gap is not None and now >= self._gap.due:
            self._pull(self._gap, now)
        if self.state is _ONLINE:
            self.deadline = self._next_deadline()

    def _next_deadline(self) -> float:
        deadline = self._next_beat()
        if self._gap is not None:
            deadline = min(deadline, self._gap.due)
        if self._outbox is not None:
            deadline = min(deadline, self._next_repeat(self._outbox))
        return deadline

    def _connect(self, now: float) -> None:
        if not self._has_way(now):
            return
        # The time limit starts when the pump dials, which may be later than it is asked to.
        self.state = State.CONNECTING
        self.deadline = NEVER

    def _stop(self) -> None:
        self.state = State.STOPPED
        self.deadline = NEVER

    # -- what a session reports --

    def _on_logged_in(self, event: events.LoggedIn, now: float) -> None:
        self.state = State.ONLINE
        self._start_beating(event.heartbeat_s, now)
        self.deadline = self._beat_due
        outbox = self._outbox
        unanswered = [] if outbox is None else outbox.flying()
        asked = [] if outbox is None else list(outbox.asked)
        if self._gap is not None:
            self._gap.pulls = 0
        self._behind(event.version)
        self._emit(
            events.LoggedIn(
                event.user, event.session, event.version, event.heartbeat_s, event.features,
                self.endpoint.label, event.lacks,
            ),
            now,
        )  # fmt: skip
        self._was_let_in()
        self._way_worked(now)
        # Only what was there before: what the application adds when it hears of the login went out by itself.
        for pending in unanswered:
            self._transmit(pending, now)
        for question in asked:
            self._put(question, now)

    def _on_refused(self, event: events.Refused, now: float) -> None:
        if now >= self.deadline:
            # A server that has heard no LOGIN in time says the same as one that does not know the token.
            self.lost(CloseReason.LOGIN_TIMEOUT, event.text, now)
            return
        self._session = None
        self._stop()
        self._emit(event, now)
        self._emit(events.Closed(CloseReason.REFUSED, event.text, False), now)

    def _on_ended(self, event: Ended, now: float) -> None:
        state, session = self.state, self._session
        if state < State.LOGGING_IN:
            return
        if session is not None and state is State.ONLINE:
            self._keep_remains(session)
        self._session = None
        was_online = state is State.ONLINE
        if event.reason is CloseReason.REPLACED and not (was_online and self._is_own_stray(event)):
            self._stop()
        else:
            self._wait(NEVER)
        self._stop_beating(now, left=False)
        self._emit(events.Closed(event.reason, event.detail, was_online), now)
        if was_online:
            self._come_back(event, now)
        else:
            self._retry(now, event.retry_after_s)
            if self._away is not None:
                self._away.stray_logins += 1

    def _keep_remains(self, session: Session) -> None:
        if self.endpoint.dialect.resumes:
            remains = cast(ResumableSession, session).remains()
            if remains is not None or self._past is not None:
                self._recent().remains = remains

    def _on_received(self, event: Received, now: float) -> None:
        self._show_once(event, event.via or self.endpoint.carrier.via, now)

    def _on_ponged(self, event: Ponged, now: float) -> None:
        self._beat_answered(event, now)
        if event.version is not None and event.version > self.version:
            self._open_gap(event.version)
        if self.state is _ONLINE:
            self.deadline = self._next_deadline()
        if self._shared.ladder is not None:
            self._move_up(now)

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
        outgoing = None if pending is None else pending.outgoing
        if isinstance(outgoing, Outgoing) and event.version is not None:
            self._accept(self._own_entry(outgoing, event), "sent", attempts, now)

    def _own_entry(self, outgoing: Outgoing, event: events.Acked) -> Entry:
        user = self._shared.roster.identity(self.index).user
        return Entry(
            event.version or 0, event.mid or 0, event.conversation, event.sequence or 0, user,
            outgoing.kind, outgoing.body, event.at_ms or 0,
        )  # fmt: skip

    def _on_package_acked(self, event: events.PackageAcked, now: float) -> None:
        pending = self._settle(event.cid, now)
        attempts = 0 if pending is None else pending.attempts
        self._emit(msgspec.structs.replace(event, attempts=attempts, repeat=pending is None), now)
        package = None if pending is None else pending.outgoing
        if not isinstance(package, OutgoingPackage):
            return
        user = self._shared.roster.identity(self.index).user
        first = event.version - len(event.placed) + 1
        # One item more or less than was sent is the server's fault, and for the application to judge.
        for number, (item, placed) in enumerate(zip(package.items, event.placed, strict=False)):
            entry = Entry(
                first + number, placed.mid, event.conversation, placed.sequence, user,
                item.kind, item.body, event.at_ms,
            )  # fmt: skip
            self._accept(entry, "sent", attempts, now)


# Each handler takes just the event it is listed for, hence Any.
_HANDLERS: dict[type[Event], Callable[[Client, Any, float], None]] = {
    events.LoggedIn: Client._on_logged_in,
    events.Refused: Client._on_refused,
    events.Acked: Client._on_acked,
    events.PackageAcked: Client._on_package_acked,
    events.Rejected: Client._rejected,
    events.ServerError: Client._server_error,
    events.ReadUpdated: Client._answered,
    events.UnreadChanged: Client._answered,
    events.ContactsListed: Client._answered,
    events.HistoryListed: Client._answered,
    Received: Client._on_received,
    Ponged: Client._on_ponged,
    Page: Client._page,
    Ended: Client._on_ended,
}

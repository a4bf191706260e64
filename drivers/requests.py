"""Sends and questions: out until answered, whatever happens to connections (DLV.1, DLV.2).

A server that says 429 or 503 to a send, and how long to wait, gets no send before that time (DLV.8).
"""

from drivers import events
from drivers.contract import Dialect, Outgoing, OutgoingPackage, Question, answers
from drivers.events import Event
from drivers.outbox import Asked, Outbox, Pending
from drivers.state import NEVER, Remembered, State
from protocol.errors import ErrorCode, LocalProtocolError

_NOT_NOW = (ErrorCode.TOO_MANY_REQUESTS, ErrorCode.SERVER_FAULT, ErrorCode.OVERLOADED)
"""What says of a message only that this copy of it was not stored."""


class Requests(Remembered):
    __slots__ = ()

    def send(self, outgoing: Outgoing | OutgoingPackage, now: float) -> None:
        """Send until acknowledged or rejected.

        Raises LocalProtocolError when its cid is under way to another recipient.
        """
        pending = self._owed().submit(outgoing)
        if pending is not None and self.state is State.ONLINE:
            self._transmit(pending, now)

    def ask(self, question: Question, now: float) -> None:
        """Ask until answered; the answer comes as an event.

        LocalProtocolError, from here or from the login that follows, when the protocol has no words for it.
        """
        asked = Asked(question)
        self._owed().asked.append(asked)
        if self.state is State.ONLINE:
            self._put(asked, now)

    @property
    def unfinished(self) -> int:
        """Sends without an answer and questions without one."""
        outbox = self._outbox
        return 0 if outbox is None else len(outbox) + len(outbox.asked)

    def _owed(self) -> Outbox:
        outbox = self._outbox
        if outbox is None:
            outbox = self._outbox = Outbox()
        return outbox

    def _is_owed_too_long(self, outbox: Outbox, now: float) -> bool:
        """Whether the connection has to be given up for want of an answer, as the protocol has no repeats on
        the same one."""
        if now < outbox.next_due() or self._dialect().retransmits:
            return False
        return any(pending.due <= now and pending.due != outbox.quiet_until for pending in outbox.flying())

    def _dialect(self) -> Dialect:
        return self._shared.endpoints[self._route].dialect

    def _repeat_due(self, outbox: Outbox, now: float) -> None:
        if now >= outbox.next_due():
            for pending in outbox.flying():
                if now >= pending.due:
                    self._transmit(pending, now)
        for asked in list(outbox.asked):
            if now >= asked.due:
                self._put(asked, now)

    def _next_repeat(self, outbox: Outbox) -> float:
        return min(outbox.next_due(), min((asked.due for asked in outbox.asked), default=NEVER))

    # -- sends --

    def _transmit(self, pending: Pending, now: float) -> None:
        session = self._session
        if session is None or self.state is not State.ONLINE:
            return
        quiet_until = self._owed().quiet_until
        if now < quiet_until:
            pending.due = quiet_until
            self._soon(quiet_until)
            return
        pending.attempts += 1
        try:
            session.submit(pending.outgoing, pending.attempts)
        except LocalProtocolError as error:
            # What no frame can carry would otherwise be tried for ever.
            cid = pending.outgoing.cid
            self._rejected(events.Rejected(cid, ErrorCode.TOO_LARGE, str(error)), now)
            return
        policy = self._shared.policy
        repeats = self._dialect().retransmits
        pending.due = now + (policy.retransmit_s(pending.attempts) if repeats else policy.answer_s)
        self._soon(pending.due)
        if pending.attempts > 1:
            self._emit(events.Retransmitted(pending.outgoing.cid, pending.attempts), now)

    def _settle(self, cid: str, now: float) -> Pending | None:
        """The send that is answered; None when it was before. The next to the same recipient goes out."""
        outbox = self._outbox
        if outbox is None:
            return None
        pending, following = outbox.settle(cid)
        if following is not None:
            self._transmit(following, now)
        elif outbox.is_done(now):
            self._outbox = None
        return pending

    def _rejected(self, event: events.Rejected, now: float) -> None:
        if event.retry_after_s:
            outbox = self._owed()
            outbox.quiet_until = max(outbox.quiet_until, now + event.retry_after_s)
        copies = 0 if self._outbox is None else self._outbox.attempts(event.cid)
        if event.code in _NOT_NOW and copies > 1:
            # One of several copies was turned away for now, and another may have been stored: the next one,
            # which goes out when it is due, tells.
            return
        if self._settle(event.cid, now) is not None:
            self._emit(event, now)

    # -- questions --

    def _put(self, asked: Asked, now: float) -> None:
        session = self._session
        if session is None or self.state is not State.ONLINE:
            return
        asked.attempts += 1
        asked.due = now + self._shared.policy.retransmit_s(asked.attempts)
        self._soon(asked.due)
        try:
            session.ask(asked.question)
        except LocalProtocolError:
            self._forget(asked, now)
            raise

    def _answered(self, event: Event, now: float) -> None:
        for candidate in () if self._outbox is None else self._outbox.asked:
            if answers(event, candidate.question):
                self._forget(candidate, now)
                break
        self._emit(event, now)

    def _server_error(self, event: events.ServerError, now: float) -> None:
        # Answers come in the order of the questions, so an error that names no send answers the oldest.
        outbox = self._outbox
        if outbox is not None and outbox.asked and not event.fatal:
            self._forget(outbox.asked[0], now)
        self._emit(event, now)

    def _forget(self, asked: Asked, now: float) -> None:
        outbox = self._owed()
        outbox.asked.remove(asked)
        if outbox.is_done(now):
            self._outbox = None

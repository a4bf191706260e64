"""When a client beats, what counts as an answer, and when a silent server is given up (HBT.1 to HBT.4).

Every beat that is sent is exactly one of answered, missed, abandoned (the client left) or outstanding.
"""

from drivers import events
from drivers.contract import Ponged, Session
from drivers.state import NEVER, Remembered, State
from protocol.limits import DEFAULT_HEARTBEAT_S, MIN_HEARTBEAT_S, silence_limit_s


class Heartbeat(Remembered):
    __slots__ = ()

    def beat(self, now: float, heartbeat_s: int | None = None) -> None:
        """Send a heartbeat out of turn, or ask for another interval (HBT.4).

        While one is outstanding it is a further try of that one.
        """
        if self._session is None or self.state is not State.ONLINE:
            return
        self._session.ping(heartbeat_s)
        if self._beat_sent is None:
            self._begin_beat(now, 0.0)
            self._soon(self._beat_again())

    @property
    def beat_due(self) -> float:
        """When the next heartbeat is due in its turn; it moves on with each that is sent."""
        return self._beat_due

    def _start_beating(self, heartbeat_s: float, now: float) -> None:
        policy = self._shared.policy
        # One float for all who agreed on what was asked for.
        own_s = policy.heartbeat_s or DEFAULT_HEARTBEAT_S
        self._heartbeat_s = own_s if heartbeat_s in (own_s, 0.0) else heartbeat_s
        # The first beat falls anywhere in the interval, so that those who logged in together do not beat
        # together for ever.
        self._beat_due = now + policy.dice.random() * self._heartbeat_s
        self._beat_sent = None

    def _stop_beating(self, now: float, *, left: bool) -> None:
        self._beat_due = NEVER
        if self._beat_sent is not None:
            self._beat_sent = None
            if self._shared.policy.adaptive_heartbeat and not left:
                self._ask_heartbeat_s = max(MIN_HEARTBEAT_S, int(self._heartbeat_s) // 2)
            self._emit(events.BeatAbandoned() if left else events.BeatMissed(), now)

    def _beat_in_turn(self, session: Session, now: float) -> None:
        """Send what is due: a beat, or a further try of the outstanding one."""
        heartbeat_s, due, sent = self._heartbeat_s, self._beat_due, self._beat_sent
        if now >= due:
            # What a stall of this process swallowed is not made up for.
            self._beat_due = due + heartbeat_s if due + heartbeat_s > now else now + heartbeat_s
            if sent is not None:
                if now - sent < heartbeat_s / 2:
                    return  # one out of turn is young enough to count as this one
                self._emit(events.BeatMissed(), now)
            session.ping()
            self._begin_beat(now, now - due)
        elif sent is not None and now >= self._beat_again():
            session.ping()
            # Those that a stall swallowed are passed over, not made up for.
            passed = int((now - sent) / self._shared.policy.beat_again_s(heartbeat_s))
            self._beat_tries = max(passed, self._beat_tries + 1)

    def _begin_beat(self, now: float, late_s: float) -> None:
        self._beat_sent, self._beat_tries = now, 0
        self._emit(events.BeatSent(late_s), now)

    def _beat_answered(self, event: Ponged, now: float) -> None:
        if event.heartbeat_s and event.heartbeat_s != self._heartbeat_s:
            self._heartbeat_s = event.heartbeat_s
            self._beat_due = now + event.heartbeat_s
            self._soon(self._beat_due)
        sent = self._beat_sent
        if sent is not None:
            self._beat_sent = None
            self._emit(events.Beat(now - sent, self._beat_tries, event.version), now)

    def _beat_again(self) -> float:
        if self._beat_sent is None:
            return NEVER
        again_s = self._shared.policy.beat_again_s(self._heartbeat_s)
        return self._beat_sent + (self._beat_tries + 1) * again_s

    def _silent_at(self) -> float:
        """When the server counts as gone; never before a beat and a further try of it had their time."""
        if self._beat_sent is None:
            return NEVER
        tries_s = 2 * self._shared.policy.beat_again_s(self._heartbeat_s)
        return max(self._heard_at + silence_limit_s(self._heartbeat_s), self._beat_sent + tries_s)

    def _next_beat(self) -> float:
        """When a beat, a further try, or the end of patience is due."""
        sent, due = self._beat_sent, self._beat_due
        if sent is None:
            return due
        if self._beat_tries == 0:  # the first further try always comes before the end of patience
            again = sent + self._shared.policy.beat_again_s(self._heartbeat_s)
            return again if again < due else due
        return min(due, self._beat_again(), self._silent_at())

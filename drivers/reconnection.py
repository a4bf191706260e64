"""When and where a client comes back: soon to the next endpoint, spread in time to the same one.

An endpoint that works is kept, and a server that says when and where to come back is obeyed. HBT.6 asks for
the spread, CHN.3 for the haste. Where there is a ladder it says where to, and this file when.
"""

from drivers import events
from drivers.contract import Ended
from drivers.endpoints import Endpoint
from drivers.events import CloseReason
from drivers.ladder.ladder import Ladder
from drivers.state import NEVER, Away, Remembered, State

_SOON = 2
"""So many failures in a row may be those of a way; more are those of the server, which is spared."""


class Reconnection(Remembered):
    __slots__ = ()

    @property
    def endpoint(self) -> Endpoint:
        """Where it is connected, or will connect next."""
        return self._shared.endpoints[self._route]

    @property
    def ladder(self) -> Ladder | None:
        """What it shares with all others on its network; None where its endpoints are given."""
        return self._shared.ladder

    @property
    def lost_at(self) -> float | None:
        """When the connection was lost that has not been made good yet."""
        return None if self._away is None else self._away.lost_at

    @property
    def failures(self) -> int:
        """Attempts to come back that failed since then."""
        return 0 if self._away is None else self._away.failures

    def _failed(self) -> int:
        """One more attempt was in vain; how many."""
        away = self._away
        if away is None:
            away = self._away = Away()
        away.failures += 1
        return away.failures

    def _was_let_in(self) -> None:
        """Nothing is left of the absence but logins that may still be under way."""
        away = self._away
        if away is None or not away.stray_logins:
            self._away = None
        else:
            away.failures, away.lost_at = 0, None

    def _is_own_stray(self, ended: Ended) -> bool:
        """Whether an earlier login of its own may have replaced the connection; each does it once."""
        away = self._away
        return ended.reason is CloseReason.REPLACED and away is not None and away.stray_logins > 0

    def _wait(self, until: float) -> None:
        self.state = State.WAITING
        self.deadline = until

    def _retry(self, now: float, retry_after_s: float) -> None:
        """After an attempt that failed, unless whoever heard of it has decided otherwise."""
        if self.state is not State.WAITING:
            return
        shared = self._shared
        failures = self._failed()
        if shared.ladder is not None:
            shared.ladder.failed(self._route, now)
            again_s = shared.policy.dice.uniform(0.0, shared.policy.next_endpoint_s)
            if failures > _SOON:
                again_s = shared.policy.backoff_s(failures - _SOON)
            self._wait(now + retry_after_s + again_s)
            return
        self._route = (self._route + 1) % len(shared.endpoints)
        rounds, within_round = divmod(failures, len(shared.endpoints))
        if within_round:
            self._wait(now + shared.policy.dice.uniform(0.0, shared.policy.next_endpoint_s))
        else:
            self._wait(now + retry_after_s + shared.policy.backoff_s(rounds))

    def _come_back(self, ended: Ended, now: float) -> None:
        """After the loss of a connection that was logged in, with the same exception."""
        if self.state is not State.WAITING:
            return
        strays = 0 if self._away is None else self._away.stray_logins
        self._away = Away(now)
        self._away.stray_logins = strays - (ended.reason is CloseReason.REPLACED)
        if ended.reason is CloseReason.DRAINING:
            self._route = self._elsewhere(ended.endpoints)
        # On top of what a server wishes, so that those who got the same wish do not come back together.
        self._wait(now + ended.retry_after_s + self._shared.policy.backoff_s(0))

    def _elsewhere(self, suggested: tuple[str, ...]) -> int:
        """The route to one of the endpoints that a server named, if it is a known one, else the next."""
        endpoints, ladder = self._shared.endpoints, self._shared.ladder
        if ladder is not None:
            ladder.avoid(self._route)
            named = ladder.named(suggested)
            return self._route if named is None else named
        for route, endpoint in enumerate(endpoints):
            if endpoint.url in suggested or f"{endpoint.host}:{endpoint.port}" in suggested:
                return route
        return (self._route + 1) % len(endpoints)

    # -- with a ladder --

    def _has_way(self, now: float) -> bool:
        """Whether it can connect now, by `_route`. If not it waits: for those who look for a way, or, when
        they have found none, as long as after any failure."""
        shared = self._shared
        ladder = shared.ladder
        if ladder is None:
            return True
        route = ladder.choose(self._route, now)
        if route is not None:
            self._route = route
            return True
        if ladder.is_climbing:
            self._wait(ladder.look_again(now))
            return False
        self._wait(now + shared.policy.backoff_s(self._failed()))
        self._emit(events.ConnectFailed(shared.endpoints[0].label, ladder.trouble), now)
        return False

    def _way_worked(self, now: float) -> None:
        if self._shared.ladder is not None:
            self._shared.ladder.worked(self._route, now)

    def _move_up(self, now: float) -> None:
        """To a better rung of the ladder, if one is known and nothing is under way on this one."""
        ladder, session = self._shared.ladder, self._session
        if ladder is None or session is None or self.state is not State.ONLINE:
            return
        owes = self._outbox is not None and not self._outbox.is_done(now)
        if owes or not ladder.has_better(self._route, now):
            return
        session.bye()  # still to be taken by the pump
        self._wait(now)
        self._beat_due, self._beat_sent = NEVER, None
        self._emit(events.Closed(CloseReason.LEFT, "for a better way in", True), now)

"""When and where a client comes back: soon to the next endpoint, spread in time to the same one.

An endpoint that works is kept, and a server that says when and where to come back is obeyed. HBT.6 asks for
the spread, CHN.3 for the haste.
"""

from drivers.contract import Ended
from drivers.endpoints import Endpoint
from drivers.events import CloseReason
from drivers.state import Remembered, State


class Reconnection(Remembered):
    __slots__ = ()

    @property
    def endpoint(self) -> Endpoint:
        """Where it is connected, or will connect next."""
        return self._shared.endpoints[self._route]

    @property
    def lost_at(self) -> float | None:
        """When the connection was lost that has not been made good yet."""
        return self._lost_at

    @property
    def failures(self) -> int:
        """Attempts to come back that failed since then."""
        return self._failures

    def _wait(self, until: float) -> None:
        self.state = State.WAITING
        self.deadline = until

    def _retry(self, now: float, retry_after_s: float) -> None:
        """After an attempt that failed, unless whoever heard of it has decided otherwise."""
        if self.state is not State.WAITING:
            return
        shared = self._shared
        self._failures += 1
        self._route = (self._route + 1) % len(shared.endpoints)
        rounds, within_round = divmod(self._failures, len(shared.endpoints))
        if within_round:
            self._wait(now + shared.policy.dice.uniform(0.0, shared.policy.next_endpoint_s))
        else:
            self._wait(now + retry_after_s + shared.policy.backoff_s(rounds))

    def _come_back(self, ended: Ended, now: float) -> None:
        """After the loss of a connection that was logged in, with the same exception."""
        if self.state is not State.WAITING:
            return
        self._lost_at = now
        self._failures = 0
        if ended.reason is CloseReason.DRAINING:
            self._route = self._elsewhere(ended.endpoints)
        # On top of what a server wishes, so that those who got the same wish do not come back together.
        self._wait(now + ended.retry_after_s + self._shared.policy.backoff_s(0))

    def _elsewhere(self, suggested: tuple[str, ...]) -> int:
        """The route to one of the endpoints that a server named, if it is a known one, else the next."""
        endpoints = self._shared.endpoints
        for route, endpoint in enumerate(endpoints):
            if endpoint.url in suggested or f"{endpoint.host}:{endpoint.port}" in suggested:
                return route
        return (self._route + 1) % len(endpoints)

"""What is known of the ways in, shared by all clients of one network.

Nobody is asked anything while a way works. When none is known, one climb looks for all who wait; when only a
worse way than a connection is known, a look is taken at the better ones from time to time.
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from drivers.endpoints import Endpoint, TargetError, parse_target
from drivers.ladder.candidates import Candidate
from drivers.ladder.climb import Climb
from drivers.ladder.race import NEVER

MOST_ROUTES = 4096
EQUALLY_FAST = 1.5
EQUALLY_FAST_S = 0.02
"""Ways are equals whose round trips differ by no more than this: then the load decides."""
LOOK_AGAIN_S = (0.02, 0.06)
CROWD_A_SECOND = 200.0
MOST_SPREAD_S = 8.0
"""Who waits for a climb comes at once when alone; a crowd comes so many a second (HBT.6)."""
FRESH_S = 1.0
REST_BASE_S = 1.0
REST_CAP_S = 30.0
MOST_LOOK_UP_S = 900.0
HINTS_S = 60.0


@dataclass(slots=True)
class Way:
    """A route that has answered. `sent`: clients that were sent there since the scheduler told its load."""

    candidate: Candidate
    rtt_s: float
    sent: int = 0
    worked_at: float = 0.0
    is_new: bool = True

    @property
    def rank(self) -> int:
        return self.candidate.rank

    @property
    def load(self) -> float:
        return (self.candidate.load or 0.0) + self.sent


@dataclass(slots=True)
class Memory:
    """What worked last, by network. An app may keep it: it is URLs."""

    urls: dict[str, str] = field(default_factory=dict)


class Ladder:
    """`endpoints[route]` for every route that was ever named; the first is the scheduler itself, which nobody
    connects to. `send_out()` is called when there is something to `take`, and is the pumps' affair."""

    def __init__(
        self,
        scheduler: Endpoint,
        built_in: tuple[Endpoint, ...] = (),
        *,
        dice: random.Random | None = None,
        memory: Memory | None = None,
        look_up_s: float = 30.0,
    ) -> None:
        origin = scheduler.origin
        if origin is None:
            raise ValueError(f"{scheduler.url} is an access point, not a scheduler")
        self.origin = origin
        self.endpoints: list[Endpoint] = [scheduler]
        self.send_out: Callable[[], None] | None = None
        self.climb: Climb | None = None
        self.trouble = ""
        self.memory = memory or Memory()
        self.network = ""
        self.climbs = 0
        self._dice = dice or random.Random()
        self._routes: dict[str, int] = {scheduler.url: 0}
        self._built_in = tuple(Candidate(each) for each in built_in)
        self._ways: dict[int, Way] = {}
        self._waiting = 0
        self._failed_climbs = 0
        self._rests_until = 0.0
        self._looks_up_at = NEVER
        self._first_look_up_s = self._look_up_s = look_up_s
        self._asked_at = 0.0

    # -- for clients --

    @property
    def is_climbing(self) -> bool:
        """A way is being looked for, because none is known."""
        return self.climb is not None and not self._ways

    def choose(self, used: int, now: float) -> int | None:
        """The route to connect by: the one that was `used` before if there is none better, else one of the
        best. None while none is known, which starts a climb unless the last one has just failed."""
        if not self._ways:
            if self.climb is None and now >= self._rests_until:
                self._begin(now, 9)
            return None
        if now >= self._asked_at + HINTS_S and self.climb is None:
            self._begin(now, min(way.rank for way in self._ways.values()))
        equals = self._equals()
        if used in equals:
            return used
        first, other = self._dice.choice(equals), self._dice.choice(equals)
        route = min(first, other, key=lambda each: self._ways[each].load)
        self._ways[route].sent += 1
        return route

    def look_again(self, now: float) -> float:
        """When somebody who waits for the climb should ask again."""
        self._waiting += 1
        least, most = LOOK_AGAIN_S
        return now + self._dice.uniform(least, most + self._spread_s())

    def _spread_s(self) -> float:
        return min(MOST_SPREAD_S, self._waiting / CROWD_A_SECOND)

    def worked(self, route: int, now: float) -> None:
        """Somebody is logged in there."""
        way = self._ways.get(route)
        if way is not None:
            way.worked_at, way.is_new = now, False
            self.memory.urls[self.network] = self.endpoints[route].url
            if len(self.memory.urls) > MOST_ROUTES:
                del self.memory.urls[next(iter(self.memory.urls))]

    def failed(self, route: int, now: float) -> None:
        """Somebody could not connect or log in there. Where others just did, it is not the way's fault."""
        way = self._ways.get(route)
        if way is not None and (way.is_new or now >= way.worked_at + FRESH_S):
            del self._ways[route]

    def named(self, urls: tuple[str, ...]) -> int | None:
        """The route to one of the access points that a server named when it sent somebody away."""
        for route in self._ways:
            endpoint = self.endpoints[route]
            if endpoint.url in urls or f"{endpoint.host}:{endpoint.port}" in urls:
                return route
        return None

    def avoid(self, route: int) -> None:
        """A server wants its clients to go elsewhere, if there is an elsewhere."""
        if len(self._ways) > 1:
            self._ways.pop(route, None)

    def has_better(self, route: int, now: float) -> bool:
        """Whether a better rung than that of `route` is known; whoever is connected asks now and then."""
        if not self._ways:
            return False
        best = min(way.rank for way in self._ways.values())
        if best > 0 and now >= self._looks_up_at and self.climb is None:
            self._begin(now, best - 1)
        return best < Candidate(self.endpoints[route]).rank

    def on_network(self, name: str, now: float) -> None:
        """The device is on another network: nothing that was known holds."""
        self.network = name
        self._ways.clear()
        self.climb = None
        self._failed_climbs, self._rests_until, self._looks_up_at = 0, now, NEVER
        self._look_up_s = self._first_look_up_s

    # -- for whoever does what a climb wants done --

    def settle(self, climb: Climb, now: float) -> None:
        """Ends a climb if it is over; to be called after anything has come of it, and at its deadline."""
        climb.tick(now)
        if climb is not self.climb or not climb.is_over(now):
            return
        self.climb = None
        race = climb.race
        self._asked_at = now
        for route, candidate in race.candidates.items():
            if route in self._ways and candidate.load is not None:
                self._ways[route].candidate, self._ways[route].sent = candidate, 0
        for route, rtt_s in race.answered.items():
            self._learn(route, race.candidates[route], rtt_s)
        for route, candidate in race.candidates.items():
            like = self._like(candidate, race.answered)
            if candidate.load is not None and route not in race.failed and like is not None:
                self._learn(route, candidate, race.answered[like])
        if not self._ways:
            self.trouble = climb.trouble
            self._failed_climbs += 1
            most_s = min(REST_CAP_S, REST_BASE_S * 2.0 ** min(self._failed_climbs, 16))
            # Everybody who waits for this climb looks again before the next one, and hears how it went.
            self._rests_until = now + LOOK_AGAIN_S[1] + self._spread_s() + self._dice.uniform(0.0, most_s)
        else:
            self._failed_climbs = 0
            self._plan_look_up(climb, now)

    def _learn(self, route: int, candidate: Candidate, rtt_s: float) -> None:
        way = self._ways.get(route)
        if way is None:
            self._ways[route] = Way(candidate, rtt_s)
        else:
            way.rtt_s = rtt_s

    def _like(self, candidate: Candidate, answered: Iterable[int]) -> int | None:
        """An answered route with the same carrier and port as one that the scheduler has named and nobody has
        tried: what lets the one through lets the other through."""
        for route in answered:
            if self.endpoints[route].label == candidate.endpoint.label:
                return route
        return None

    def _plan_look_up(self, climb: Climb, now: float) -> None:
        best = min(way.rank for way in self._ways.values())
        if best == 0:
            self._looks_up_at, self._look_up_s = NEVER, self._first_look_up_s
            return
        is_in_vain = climb.most_rank < best
        doubled_s = min(MOST_LOOK_UP_S, 2 * self._look_up_s)
        self._look_up_s = doubled_s if is_in_vain else self._first_look_up_s
        self._looks_up_at = now + self._dice.uniform(0.5, 1.0) * self._look_up_s

    def _begin(self, now: float, most_rank: int) -> None:
        self.climbs += 1
        self._waiting = 0
        climb = self.climb = Climb(self.origin, self._route_of, now, most_rank, self._built_in)
        climb.start(self._remembered(), now)
        if self.send_out is not None:
            self.send_out()

    def _remembered(self) -> list[Candidate]:
        url = self.memory.urls.get(self.network)
        if url is None:
            return []
        try:
            return [Candidate(parse_target(url))]
        except TargetError:
            return []  # kept by an older version of the app

    def _route_of(self, candidate: Candidate) -> int | None:
        url = candidate.endpoint.url
        route = self._routes.get(url)
        if route is None and len(self.endpoints) < MOST_ROUTES:
            route = self._routes[url] = len(self.endpoints)
            # Whoever listens to the dialect of the scheduler's endpoint hears what is said by any way.
            self.endpoints.append(replace(candidate.endpoint, dialect=self.endpoints[0].dialect))
        return route

    def _equals(self) -> list[int]:
        best = min(way.rank for way in self._ways.values())
        top = {route: way for route, way in self._ways.items() if way.rank == best}
        fastest_s = min(way.rtt_s for way in top.values())
        return [route for route, way in top.items() if way.rtt_s <= EQUALLY_FAST * fastest_s + EQUALLY_FAST_S]

"""From knowing nothing to the first that answers: what is asked in which order, and what is tried meanwhile.

    rung        opens after   asks                                      tries
    remembered  0 s           –                                         what worked on this network
    scheduler   0 s           the scheduler, by name or address         the points that it names, by load
    HTTPDNS     1 s           addresses of the name over HTTP           every port and carrier there
    resolver    2 s           the same of the system, if HTTPDNS        the same
                              has not told
    built-in    3 s           –                                         the same at the addresses built in

A rung opens at once when all before it have come to nothing. What is named once is not asked for again: the
addresses found for the scheduler are those of the later rungs.
"""

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from drivers.ladder import candidates
from drivers.ladder.answers import Point
from drivers.ladder.candidates import Candidate
from drivers.ladder.origin import Origin
from drivers.ladder.race import Race

RUNG_S = 1.0
PATIENCE_S = 9.0
"""A climb is over by then, so that a login still fits into the 10 s of CHN.3."""
_MOST_SCHEDULERS = 3


class Rung(enum.IntEnum):
    SCHEDULER = 0
    HTTPDNS = 1
    RESOLVER = 2
    BUILT_IN = 3


@dataclass(frozen=True, slots=True)
class AskScheduler:
    """Ask for access points at an address of the scheduler. `proxy`: through there."""

    address: str
    proxy: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class AskHttpdns:
    """Ask a server of HTTPDNS for the addresses of the service."""

    server: tuple[str, int]


@dataclass(frozen=True, slots=True)
class AskResolver:
    """Ask the system for the addresses of the service."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Find out whether a chat server answers at a route."""

    route: int


Question = AskScheduler | AskHttpdns | AskResolver
Task = Question | Probe


@dataclass(slots=True)
class Climb:
    """`route_of` gives every candidate its number, or None when there have been too many. `most_rank`:
    candidates above it are left out, for a look at what is better than what there is."""

    origin: Origin
    route_of: Callable[[Candidate], int | None]
    began: float
    most_rank: int = 9
    built_in: tuple[Candidate, ...] = ()
    race: Race = field(default_factory=Race)
    asked_nothing: list[str] = field(default_factory=list)
    _opened: int = -1
    _asked: set[Question] = field(default_factory=set)
    _waiting: set[Question] = field(default_factory=set)
    _to_do: list[Task] = field(default_factory=list)
    _over_http: list[str] = field(default_factory=list)
    _by_system: list[str] = field(default_factory=list)

    def start(self, remembered: Iterable[Candidate], now: float) -> None:
        self._enter(remembered)
        self.tick(now)

    def take(self) -> list[Task]:
        """What is to be done now, handed over once."""
        tasks, self._to_do = self._to_do, []
        return tasks

    # -- what comes of it --

    def points(self, question: AskScheduler, points: list[Point], now: float) -> None:
        """The scheduler has told."""
        self._waiting.discard(question)
        self._enter(candidates.of_points(self.origin, points))
        self.tick(now)

    def addresses(self, question: AskHttpdns | AskResolver, found: list[str], now: float) -> None:
        """A name was resolved; the scheduler is asked there if it is not known better."""
        self._waiting.discard(question)
        if isinstance(question, AskHttpdns):
            self._over_http += found
            self._ask_scheduler_at(self._over_http)
        else:
            self._by_system += found
            if not self._over_http:
                self._ask_scheduler_at(found)
        self._enter_addresses()
        self.tick(now)

    def nothing(self, question: Question, why: str, now: float) -> None:
        """A question came to nothing."""
        self._waiting.discard(question)
        self.asked_nothing.append(f"{_name(question)}: {why}")
        self.tick(now)

    def answered(self, route: int, now: float) -> None:
        self.race.answer(route, now)
        self.tick(now)

    def failed(self, route: int, why: str, now: float) -> None:
        self.race.fail(route, why)
        self.tick(now)

    def tick(self, now: float) -> None:
        """Open the rungs that are due and start whose turn it is."""
        while self._opened < Rung.BUILT_IN and (now >= self._opens_at() or self._is_stuck()):
            self._opened += 1
            self._open(Rung(self._opened))
        self._to_do += [Probe(route) for route in self.race.start(now)]

    @property
    def deadline(self) -> float:
        due = self.began + PATIENCE_S
        if self._opened < Rung.BUILT_IN:
            due = min(due, self._opens_at())
        return min(due, self.race.deadline)

    def is_over(self, now: float) -> bool:
        """Somebody has answered, or all hope is gone, or all time."""
        if self.race.is_decided(now) or now >= self.began + PATIENCE_S:
            return True
        return self._opened == Rung.BUILT_IN and self._is_stuck()

    @property
    def trouble(self) -> str:
        """What came of all that was tried, in a line."""
        tried = [
            f"{self.race.candidates[route].endpoint.label}: {why}" for route, why in self.race.failed.items()
        ]
        silent = len(self.race.candidates) - len(self.race.failed) - len(self.race.answered)
        words = list(dict.fromkeys([*self.asked_nothing, *tried]))
        more = [f"{len(words) - _SHOWN} more"] if len(words) > _SHOWN else []
        unanswered = [f"{silent} without an answer"] if silent else []
        return f"no way in: {'; '.join([*words[:_SHOWN], *more, *unanswered]) or 'nothing to try'}"

    # -- rungs --

    def _opens_at(self) -> float:
        return self.began + (self._opened + 1) * RUNG_S

    def _is_stuck(self) -> bool:
        return not self._waiting and self.race.is_exhausted and not self.race.answered

    def _open(self, rung: Rung) -> None:
        address = self.origin.address
        if rung is Rung.SCHEDULER:
            if address is not None:
                self._ask_scheduler_at([address])
            elif self.origin.httpdns:
                self._ask_httpdns()
            else:
                self._ask(AskResolver())
        elif rung is Rung.HTTPDNS and address is None:
            self._ask_httpdns()
        elif rung is Rung.RESOLVER and address is None and not self._over_http:
            self._ask(AskResolver())
        elif rung is Rung.BUILT_IN:
            self._enter(self.built_in)
            self._enter(candidates.of_addresses(self.origin, self.origin.fallback))
        self._enter_addresses()

    def _ask_httpdns(self) -> None:
        for server in self.origin.httpdns:
            self._ask(AskHttpdns(server))

    def _ask_scheduler_at(self, addresses: Iterable[str]) -> None:
        for address in list(addresses)[:_MOST_SCHEDULERS]:
            self._ask(AskScheduler(address))
            if self.origin.proxy is not None and not self.origin.is_secure:
                self._ask(AskScheduler(address, self.origin.proxy))

    def _ask(self, question: Question) -> None:
        if question not in self._asked:
            self._asked.add(question)
            self._waiting.add(question)
            self._to_do.append(question)

    def _enter_addresses(self) -> None:
        """What is known of addresses competes from its rung on."""
        if self._opened >= Rung.HTTPDNS:
            own = [] if self.origin.address is None else [self.origin.address]
            self._enter(candidates.of_addresses(self.origin, own + self._over_http))
        if self._opened >= Rung.RESOLVER and not self._over_http:
            self._enter(candidates.of_addresses(self.origin, self._by_system))

    def _enter(self, entered: Iterable[Candidate]) -> None:
        found: dict[int, Candidate] = {}
        for candidate in entered:
            route = self.route_of(candidate) if candidate.rank <= self.most_rank else None
            if route is not None:
                found.setdefault(route, candidate)
        self.race.enter(found)


_SHOWN = 6


def _name(question: Question) -> str:
    if isinstance(question, AskScheduler):
        through = "" if question.proxy is None else " through the proxy"
        return f"scheduler at {question.address}{through}"
    if isinstance(question, AskHttpdns):
        return f"HTTPDNS at {question.server[0]}"
    return "resolver"

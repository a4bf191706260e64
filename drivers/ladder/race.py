"""Happy eyeballs (RFC 8305): starts one after the other, without waiting for those before to fail.

Idle → running → over. Who has answered first does not win alone: others that were about as quick get the time
to say so, since among equals it is the load that decides.
"""

from dataclasses import dataclass, field

from drivers.ladder.candidates import MOST, Candidate

NEVER = float("inf")
FIRST_AT_ONCE = 4
STAGGER_S = 0.1
"""RFC 8305 has 0.25 for two families of addresses; here there are four ports and four carriers."""
LEAST_GRACE_S = 0.03
MOST_GRACE_S = 0.25


@dataclass(slots=True)
class Race:
    """`answered`: seconds from start to answer, by route. `failed`: why not, by route."""

    answered: dict[int, float] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)
    candidates: dict[int, Candidate] = field(default_factory=dict)
    _queue: list[int] = field(default_factory=list)
    _running: dict[int, float] = field(default_factory=dict)
    _next_start: float = 0.0
    _decided_at: float = NEVER

    def enter(self, entered: dict[int, Candidate]) -> None:
        """Further candidates by route, in the order in which they are to start; of known ones only the load
        is new."""
        for route, candidate in entered.items():
            if route in self.candidates:
                if candidate.load is not None:
                    self.candidates[route] = candidate
            elif len(self.candidates) < MOST:
                self.candidates[route] = candidate
                self._queue.append(route)

    def start(self, now: float) -> list[int]:
        """The routes whose turn it is."""
        begun: list[int] = []
        while self._queue and self._decided_at == NEVER:
            if len(self._running) >= FIRST_AT_ONCE and now < self._next_start:
                break
            route = self._queue.pop(0)
            self._running[route] = now
            self._next_start = now + STAGGER_S
            begun.append(route)
        return begun

    def answer(self, route: int, now: float) -> None:
        """A probe was answered as a chat server does."""
        begun = self._running.pop(route, None)
        if begun is None:
            return
        took_s = self.answered[route] = now - begun
        if self._decided_at == NEVER:
            self._decided_at = now + min(max(took_s / 2, LEAST_GRACE_S), MOST_GRACE_S)

    def fail(self, route: int, why: str) -> None:
        """A probe came to nothing: the next need not wait."""
        if self._running.pop(route, None) is not None:
            self.failed[route] = why
            self._next_start = 0.0

    @property
    def deadline(self) -> float:
        """When `start` has something new, or the race is decided."""
        if self._decided_at < NEVER:
            return self._decided_at
        return self._next_start if self._queue else NEVER

    def is_decided(self, now: float) -> bool:
        """Somebody has won, and there is nobody left to wait for."""
        if self._decided_at == NEVER:
            return False
        return now >= self._decided_at or not self._running

    @property
    def is_exhausted(self) -> bool:
        """Nobody runs and nobody is left to start."""
        return not self._running and not self._queue
